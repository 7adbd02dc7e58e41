"""The guard around any async callable: a scripted model presses its button until the conversation ends. No key needed."""

import asyncio

import quitbutton


async def model(request):
    """Stands in for yours: `return await client.chat.completions.create(**request)`, or plain text."""
    if any(tool["function"]["name"] == "end_conversation" for tool in request.get("tools", ())):
        function = {"name": "end_conversation", "arguments": '{"reason": "abuse", "explanation": "It is enough."}'}
        return {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": function}]}
    return "I would rather talk about something else."


async def main():
    # "scripted" finds what the words in brackets say; in earnest it is "local" (the extra `local`).
    async with quitbutton.Guard(model, store=":memory:", assessor="scripted") as guard:
        messages = []
        for text in ("[abuse] one", "[abuse] two", "[abuse] three", "[abuse] four", "hello?"):
            messages.append({"role": "user", "content": text})
            try:
                answer = await guard.chat(messages, conversation="chat-1", end_user="user-1")
            except quitbutton.ConversationEnded as ended:
                print(f"{text:15} refused     {ended}")
                break
            messages.append(answer.message)
            print(f"{text:15} {answer.state:11} {answer.text}")

        edited = [*messages[:2], {"role": "user", "content": "Let us talk about trains."}]
        async with guard.stream(edited, conversation="chat-1", end_user="user-1") as stream:
            print("edited          ", end="")
            async for part in stream:
                print(part, end="")
        print(f" ({stream.answer.state})")


asyncio.run(main())
