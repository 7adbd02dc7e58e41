"""Chat with a model behind the gateway, and handle an ended conversation. Start `make serve` first."""

import openai

client = openai.OpenAI(base_url="http://127.0.0.1:8808/v1", api_key="none")
messages = [{"role": "user", "content": "What is a lighthouse?"}]
try:
    reply = client.chat.completions.create(model="smollm2", messages=messages, safety_identifier="user-1")
    print(reply.choices[0].message.content)
    print("state:", reply.model_extra["quitbutton"]["state"])
except openai.BadRequestError as error:
    if error.code != "conversation_ended":
        raise
    print(error.body["message"])
