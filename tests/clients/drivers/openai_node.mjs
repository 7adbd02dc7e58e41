// openai for Node, chat completions and responses.
import OpenAI from "openai";
import { serve } from "./loop.mjs";

await serve(async (task) => {
  const client = new OpenAI({ baseURL: task.base + "/v1", apiKey: task.key, defaultHeaders: task.headers });
  const ask = { model: task.model, stream: task.stream, safety_identifier: task.user };
  if (task.protocol !== "chat") return responses(client, task, ask);
  const reply = await client.chat.completions.create({ ...ask, messages: task.messages });
  if (!task.stream) {
    const [choice] = reply.choices;
    return { text: choice.message.content, finish: choice.finish_reason, state: reply.quitbutton?.state };
  }
  let text = "", finish, state;
  for await (const chunk of reply) {
    text += chunk.choices[0]?.delta.content ?? "";
    finish = chunk.choices[0]?.finish_reason ?? finish;
    state = chunk.quitbutton?.state ?? state;
  }
  return { text, finish, state };
});

async function responses(client, task, ask) {
  let reply = await client.responses.create({ ...ask, input: task.messages, previous_response_id: task.previous });
  if (!task.stream) {
    return { text: reply.output_text, finish: reply.status, state: reply.quitbutton?.state, id: reply.id };
  }
  let text = "", last;
  for await (const event of reply) {
    if (event.type === "response.output_text.delta") text += event.delta;
    last = event.response ?? last;
  }
  return { text, finish: last?.status, state: last?.quitbutton?.state, id: last?.id };
}
