// LangChain for JS: ChatOpenAI (chat completions and responses) and ChatAnthropic.
import { ChatAnthropic } from "@langchain/anthropic";
import { ChatOpenAI } from "@langchain/openai";
import { serve } from "./loop.mjs";

function modelOf({ protocol, base, key, model, user, headers }) {
  if (protocol === "messages") {
    const given = { anthropicApiUrl: base, maxTokens: 200, invocationKwargs: { metadata: { user_id: user } } };
    return new ChatAnthropic({ model, apiKey: key, clientOptions: { defaultHeaders: headers }, ...given });
  }
  const configuration = { baseURL: base + "/v1", defaultHeaders: headers };
  const given = { useResponsesApi: protocol === "responses", modelKwargs: { safety_identifier: user } };
  return new ChatOpenAI({ model, apiKey: key, configuration, ...given });
}

await serve(async (task) => {
  const model = modelOf(task);
  const messages = task.messages.map(({ role, content }) => [role, content]);
  let reply;
  if (task.stream) {
    for await (const chunk of await model.stream(messages)) reply = reply ? reply.concat(chunk) : chunk;
  } else {
    reply = await model.invoke(messages);
  }
  const facts = { ...reply.additional_kwargs, ...reply.response_metadata };
  const finish = facts.finish_reason ?? facts.stop_reason ?? facts.status;
  return { text: reply.text, finish, state: facts.quitbutton?.state };
});
