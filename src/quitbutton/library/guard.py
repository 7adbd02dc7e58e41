"""The public face of the library: a guard around any async callable that answers chat requests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from quitbutton.adapters.identity import named
from quitbutton.adapters.openai_chat import OpenAIChat
from quitbutton.core.errors import BadRequest, SettingsError
from quitbutton.core.judges import JudgeSettings
from quitbutton.core.ladder.policy import Policy
from quitbutton.core.messages import ChatRequest
from quitbutton.interfaces import Assessor, SecondReader, Store
from quitbutton.library.answer import Answer, Listener
from quitbutton.library.stream import Stream, StreamListener
from quitbutton.settings.installation import Settings, load_policy, policy_from
from quitbutton.turn.guard import TurnTaker
from quitbutton.turn.review import Second
from quitbutton.turn.turn import Turn
from quitbutton.upstreams.callable import CallableUpstream, Model, ModelFailed
from quitbutton.wiring import Judges, guard_of, store_of


class Guard:
    """Guards conversations with a model of this process, under the ladder that the gateway enforces.

        async with quitbutton.Guard(model, store="chat.sqlite3") as guard:
            answer = await guard.chat(messages, conversation="chat-7", end_user="user-1")

    `model` is an async callable. It gets a chat request in OpenAI's shape (your members, the button among `tools`, notes
    of ours after the history) and returns a text, a message, a chat completion (dict or pydantic object), or an async
    iterator of texts or chunks. It may be called twice in a turn. What it raises, you get.

    - `policy`: a `quitbutton.Policy`, its keys as a dict, or a policy file's path.
    - `store`: a SQLite file, which any number of processes on a machine may share, or a `Store`. The default forgets
      everything when the process ends, locks included.
    - `assessor`: a name as in the settings (several joined by commas are a panel), or an
      `Assessor`. It finds abuse, harm and crisis in the user's own words.
    - `judge`, `judges`, `reply_assessor`: as in the settings.
    - `second_reader`: who must say yes before a warning and before an end: `auto` (nobody, as with `none`: your
      model is never asked to judge its own conversation), a judge's name, `none`, or a `SecondReader`.

    A guard may be shared by tasks, threads and event loops. It opens itself when it is first used; leave it by
    `async with` or `close()`. Wrong settings raise `SettingsError` or `PolicyError` here or on first use.
    """

    def __init__(
        self,
        model: Model | None = None,
        *,
        policy: Policy | Mapping[str, Any] | str | Path | None = None,
        store: str | Path | Store = ":memory:",
        assessor: str | Assessor = "local",
        judge: str | None = None,
        judges: Mapping[str, JudgeSettings] | None = None,
        reply_assessor: str | None = None,
        second_reader: str | SecondReader = "auto",
    ) -> None:
        self._model = model
        self._settings = Settings(
            policy=_policy(policy),
            store=str(store) if isinstance(store, str | Path) else None,
            assessor=assessor if isinstance(assessor, str) else "local",
            judge=judge,
            judges=dict(judges or {}),
            reply_assessor=reply_assessor,
            second_reader=second_reader if isinstance(second_reader, str) else "none",
        )
        self._second = None if isinstance(second_reader, str) else Second(second_reader.name, second_reader)
        self._assessor = None if isinstance(assessor, str) else assessor
        self._judges = Judges(self._settings.judges)
        self._owns_store = isinstance(store, str | Path)
        self._store: Store | None = None if isinstance(store, str | Path) else store
        self._taker: TurnTaker | None = None
        self._takers: WeakKeyDictionary[asyncio.AbstractEventLoop, TurnTaker] = WeakKeyDictionary()
        self._adapter = OpenAIChat()

    async def __aenter__(self) -> Guard:
        await self._ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Finish what waits for the store, and let go of it and of the judges' connections."""
        self._taker = None
        self._takers.clear()
        await self._judges.close()
        if self._store is not None and self._owns_store:
            self._store.close()
            self._store = None

    async def chat(
        self,
        messages: Iterable[Any],
        *,
        conversation: str | None = None,
        end_user: str | None = None,
        tenant: str = "",
        background: bool = False,
        language: str = "",
        answered_by: Model | None = None,
        **members: Any,
    ) -> Answer:
        """One turn: the whole history, user's newest message last, in OpenAI's shape (dicts or pydantic objects).

        `conversation` and `end_user` are your names for them: an end user's conversations are locked one by one, and
        never anybody else's. Without a conversation it is known by the user's own words. `tenant` keeps apart whose end
        users may have the same names. `background` marks a call that is no turn (titles, summaries). `language` is an
        `Accept-Language`. Other members (`model`, `tools`, `temperature`, ...) go to the model as they are. `answered_by` is
        a model for this turn alone.

        Raises `ConversationEnded` on a locked turn (or answers with the notice, where the policy says `locked_reply =
        "message"`), `BadRequest` for a request that cannot be read, `UpstreamFailed` when the model's reply cannot be
        read, and whatever the model raises; nothing was counted then. Cancelled, it stops the model and keeps the record.
        """
        client = Listener()
        request = self._request(messages, conversation, end_user, background, {**members, "stream": False})
        await self.take(self._turn(request, client, tenant, language, answered_by))
        return client.answer()

    def stream(
        self,
        messages: Iterable[Any],
        *,
        conversation: str | None = None,
        end_user: str | None = None,
        tenant: str = "",
        background: bool = False,
        language: str = "",
        answered_by: Model | None = None,
        **members: Any,
    ) -> Stream:
        """The same as a stream, held back only where it may turn out to be a press.

        async with guard.stream(messages, conversation="chat-7") as stream:
            async for text in stream:
                print(text, end="")
        print(stream.answer.state)
        """
        client = StreamListener()
        request = self._request(messages, conversation, end_user, background, {**members, "stream": True})
        return Stream(self._turn(request, client, tenant, language, answered_by), client, self.take)

    async def take(self, turn: Turn) -> None:
        """Run a turn of any adapter to its record, also where the caller is cancelled. For integrations."""
        raised, loop = None, asyncio.get_running_loop()
        if loop not in self._takers:  # each loop cuts its own turns short; what ends in another is refused its record
            self._takers[loop] = replace(await self._ready(), under_way={})
        taker = self._takers[loop]
        task = asyncio.create_task(taker.take_turn(turn))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            turn.stop("client")
            await asyncio.wait([task])
            raise
        except ModelFailed as failure:
            raised = failure.error
        if raised is not None:
            raise raised

    async def key(self) -> bytes:
        """The key of this store's addresses. For integrations that name tenants by a digest of their secret."""
        return (await self._ready()).key

    def _turn(self, request: ChatRequest, client: Any, tenant: str, language: str, answered_by: Model | None) -> Turn:
        model = answered_by or self._model
        if model is None:
            raise SettingsError("This guard has no model: give one to Guard(model), or as `answered_by`.")
        return Turn(request, self._adapter, client, CallableUpstream(model), tenant=tenant, accept_language=language)

    def _request(
        self,
        messages: Iterable[Any],
        conversation: str | None,
        end_user: str | None,
        background: bool,
        members: dict[str, Any],
    ) -> ChatRequest:
        given = [one if isinstance(one, Mapping) else one.model_dump(exclude_none=True) for one in messages]
        body = {"model": "model", "messages": given, **{k: v for k, v in members.items() if v is not None}}
        try:
            raw = msgspec.json.encode(body)
        except TypeError as error:
            raise BadRequest(f"The request cannot be written as JSON: {error}.") from error
        headers = {"x-quitbutton-conversation": conversation or "", "x-quitbutton-background": str(background)}
        request = self._adapter.decode(raw, headers)
        return replace(request, end_user=named(end_user) or request.end_user)

    async def _ready(self) -> TurnTaker:
        if self._taker is None:
            self._store = self._store or store_of(self._settings)
            taker = await guard_of(self._settings, self._store, self._judges, self._assessor)
            taker.second = self._second or taker.second
            self._taker = self._taker or taker  # somebody else may have been first meanwhile
        return self._taker


def _policy(given: Policy | Mapping[str, Any] | str | Path | None) -> Policy:
    if isinstance(given, Policy):
        return given
    if isinstance(given, str | Path):
        return load_policy(Path(given))
    return policy_from(given or {})
