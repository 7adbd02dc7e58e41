// @anthropic-ai/sdk, messages.
import Anthropic from "@anthropic-ai/sdk";
import { serve } from "./loop.mjs";

await serve(async (task) => {
  const client = new Anthropic({ baseURL: task.base, apiKey: task.key, defaultHeaders: task.headers });
  const ask = { model: task.model, max_tokens: 200, messages: task.messages, metadata: { user_id: task.user } };
  const reply = task.stream ? await client.messages.stream(ask).finalMessage() : await client.messages.create(ask);
  const text = reply.content.map((block) => block.text ?? "").join("");
  return { text, finish: reply.stop_reason, state: reply.quitbutton?.state };
});
