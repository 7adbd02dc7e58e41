// Vercel AI SDK, with its OpenAI provider (chat completions and responses) and its Anthropic provider.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";
import { serve } from "./loop.mjs";

function modelOf({ protocol, base, key, model }) {
  if (protocol === "messages") return createAnthropic({ baseURL: base + "/v1", apiKey: key })(model);
  const openai = createOpenAI({ baseURL: base + "/v1", apiKey: key });
  return protocol === "responses" ? openai.responses(model) : openai.chat(model);
}

await serve(async (task) => {
  const providerOptions = {
    openai: { safetyIdentifier: task.user, store: false },
    anthropic: { metadata: { userId: task.user } },
  };
  // Messages must say how long a reply may be; what the SDK says by itself (4096) takes a small local model minutes.
  const longest = task.protocol === "messages" ? { maxOutputTokens: 200 } : {};
  const ask = { model: modelOf(task), messages: task.messages, headers: task.headers, providerOptions, ...longest };
  if (!task.stream) {
    const { text, finishReason } = await generateText(ask);
    return { text, finish: finishReason };
  }
  let failure;
  const reply = streamText({ ...ask, onError: ({ error }) => (failure = error) });
  let text = "";
  for await (const part of reply.textStream) text += part;
  if (failure) throw failure;
  return { text, finish: await reply.finishReason };
});
