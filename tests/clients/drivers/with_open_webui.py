"""Open WebUI: its server, with the five headers on its connection, asked as its own page asks it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from loop import serve

HEADERS = {
    "X-Quitbutton-Conversation": "{{CHAT_ID}}",
    "X-Quitbutton-Message": "{{MESSAGE_ID}}",
    "X-Quitbutton-User-Message": "{{USER_MESSAGE_ID}}",
    "X-Quitbutton-Parent": "{{USER_MESSAGE_PARENT_ID}}",
    "X-Quitbutton-Task": "{{TASK}}",
}
OFFLINE = {
    "OFFLINE_MODE": "True",
    "HF_HUB_OFFLINE": "1",
    "RAG_EMBEDDING_ENGINE": "openai",
    "BYPASS_EMBEDDING_AND_RETRIEVAL": "True",
    "ENABLE_OLLAMA_API": "False",
    "WEBUI_AUTH": "False",
    "WEBUI_SECRET_KEY": "x",
    "ENABLE_FORWARD_USER_INFO_HEADERS": "True",
}
PATIENCE = 110.0


class Page:
    """A running Open WebUI and the chats in it."""

    def __init__(self, folder):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        command = [str(Path(sys.executable).with_name("open-webui")), "serve", "--host", "127.0.0.1"]
        environment = {**os.environ, **OFFLINE, "DATA_DIR": folder}
        self.process = subprocess.Popen([*command, "--port", str(self.port)], env=environment, cwd=folder, stdout=2)
        self.token, self.base, self.turns = "", "", {}
        self.wait(lambda: self.call("/health"))
        self.token = self.call("/api/v1/auths/signin", {"email": "", "password": ""})["token"]

    def call(self, path, body=None):
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def wait(self, find):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if (found := find()) is not None:
                    return found
            except (OSError, urllib.error.URLError):
                pass
            time.sleep(0.1)
        raise TimeoutError("Open WebUI gave no answer")

    def connect(self, task):
        """Its one connection leads to the gateway of the task."""
        if task.base != self.base:
            config = {"0": {"enable": True, "headers": HEADERS}}
            given = {"OPENAI_API_BASE_URLS": [task.base + "/v1"], "OPENAI_API_KEYS": [task.key]}
            self.call("/openai/config/update", {"ENABLE_OPENAI_API": True, **given, "OPENAI_API_CONFIGS": config})
            self.call("/api/models?refresh=true")
            self.base = task.base

    def says(self, task):
        """The newest message goes below the turn that the history leads to; the server knows the rest."""
        said = tuple(message["content"] for message in task.messages if message["role"] == "user")
        chat, parent = self.turns.get(said[:-1], (None, None))
        mine, reply = str(uuid.uuid4()), str(uuid.uuid4())
        message = {"id": mine, "parentId": parent, "childrenIds": [], "role": "user", "content": said[-1]}
        body = {"model": task.model, "stream": True, "messages": task.messages, "parent_id": parent, "chat_id": chat}
        tasks = {"title_generation": True, "tags_generation": True} if parent is None else {}
        body |= {"user_message": message, "message_ids": [{"model_id": task.model, "message_id": reply}]}
        body |= {"session_id": "page", "background_tasks": {**tasks, "follow_up_generation": True}}
        chat = self.call(
            "/api/chat/completions", {name: one for name, one in body.items() if one or name == "parent_id"}
        )["chat_id"]
        self.turns[said] = (chat, reply)
        return self.wait(lambda: self.heard(chat, reply))

    def heard(self, chat, reply):
        """What the page shows of a reply, once its tasks are over."""
        message = self.call(f"/api/v1/chats/{chat}")["chat"]["history"]["messages"][reply]
        error = message.get("error")
        if not (message.get("done") or error) or self.call(f"/api/tasks/chat/{chat}")["task_ids"]:
            return None
        if error:
            return {"text": error["content"], "error": "info bar"}
        return {"text": message["content"]}

    def title(self, task):
        """The title of a chat, as the page asks for one."""
        said = tuple(message["content"] for message in task.messages if message["role"] == "user")
        chat, _ = self.turns[said[:-1]]
        body = {"model": task.model, "messages": task.messages, "chat_id": chat}
        return {"text": self.call("/api/v1/tasks/title/completions", body)["choices"][0]["message"]["content"]}


pages = []


def turn(task):
    if not pages:
        pages.append(Page(tempfile.mkdtemp()))
    pages[0].connect(task)
    return pages[0].title(task) if task.headers else pages[0].says(task)


try:
    serve(turn)
finally:
    for page in pages:
        page.process.terminate()
