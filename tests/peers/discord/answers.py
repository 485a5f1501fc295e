"""Routes for what answers people: interactions, their follow-ups, and the commands they begin with."""

import json
from dataclasses import dataclass
from enum import IntEnum

from tests.peers.discord.calls import Call, Reply, Routes
from tests.peers.discord.forms import check_message, form_error
from tests.peers.discord.rules import (
    already_answered,
    expired_token,
    require_open,
    unknown_command,
    unknown_guild,
    unknown_interaction,
    unknown_message,
    unknown_webhook,
)
from tests.peers.discord.shapes import command_shape, message_shape
from tests.peers.discord.state import MINUTE, Flag, Interaction, Json, Message
from tests.peers.discord.world import Draft, World

FIRST_ANSWER, TOKEN_LIFE = 3.0, 15 * MINUTE
COMMAND_SIZE = 8000
_COMMAND, _COMPONENT, _AUTOCOMPLETE, _MODAL = 2, 3, 4, 5  # kinds of interactions


class Callback(IntEnum):
    """Kinds of first answers."""

    MESSAGE = 4
    DEFER = 5
    DEFER_UPDATE = 6
    UPDATE = 7
    CHOICES = 8
    MODAL = 9


_SPOKEN = {Callback.MESSAGE, Callback.DEFER}
_CHANGING = {Callback.UPDATE, Callback.DEFER_UPDATE}
_FITS = {
    _COMMAND: _SPOKEN | {Callback.MODAL},
    _COMPONENT: _SPOKEN | _CHANGING | {Callback.MODAL},
    _AUTOCOMPLETE: {Callback.CHOICES},
    _MODAL: _SPOKEN | _CHANGING,
}
_HOOK = "/webhooks/{webhook_id}/{webhook_token}"
_ORIGINAL, _FOLLOWUP = f"{_HOOK}/messages/@original", f"{_HOOK}/messages/{{message_id}}"
_COMMANDS = "/applications/{application_id}/commands"
_GUILD_COMMANDS = "/applications/{application_id}/guilds/{guild_id}/commands"


@dataclass(frozen=True, slots=True)
class Answers:
    """How a bot answers."""

    world: World

    def routes(self) -> Routes:
        return {
            ("POST", "/interactions/{interaction_id}/{interaction_token}/callback"): self.answer,
            ("GET", _ORIGINAL): self.show,
            ("PATCH", _ORIGINAL): self.edit,
            ("DELETE", _ORIGINAL): self.delete,
            ("POST", _HOOK): self.follow_up,
            ("GET", _FOLLOWUP): self.show,
            ("PATCH", _FOLLOWUP): self.edit,
            ("DELETE", _FOLLOWUP): self.delete,
            **{("GET", path): self.commands for path in (_COMMANDS, _GUILD_COMMANDS)},
            **{("PUT", path): self.set_commands for path in (_COMMANDS, _GUILD_COMMANDS)},
            **{("POST", path): self.add_command for path in (_COMMANDS, _GUILD_COMMANDS)},
            **{("DELETE", f"{path}/{{command_id}}"): self.drop_command for path in (_COMMANDS, _GUILD_COMMANDS)},
        }

    def answer(self, call: Call) -> Reply:
        """The first answer, which must come within three seconds."""
        asked = self.world.interactions.get(call.params["interaction_token"])
        if asked is None or asked.id != call.id("interaction_id"):
            raise unknown_interaction()
        if asked.callback is not None:
            raise already_answered()
        if self.world.clock() - asked.created > FIRST_ANSWER:
            raise unknown_interaction()
        kind = call.body["type"]
        if kind not in _FITS[asked.kind] or (kind in _CHANGING and asked.message is None):
            raise form_error([("type", "INTERACTION_APPLICATION_COMMAND_INVALID_TYPE", "Not for this interaction.")])
        self._take(asked, kind, Draft(call.body.get("data") or {}, call.files))
        asked.callback = kind
        asked.answered.set()
        self.world.stir()
        return Reply(200, self._taken(asked)) if call.query.get("with_response") else Reply()

    def _take(self, asked: Interaction, kind: int, draft: Draft) -> None:
        match kind:
            case Callback.MESSAGE:
                check_message(draft.body, draft.files)
                asked.original = self.world.post(asked.channel, self.world.bot, draft, asked)
            case Callback.DEFER:
                waiting = Draft({"flags": int(Flag(draft.body.get("flags") or 0) & Flag.EPHEMERAL | Flag.LOADING)})
                asked.original = self.world.post(asked.channel, self.world.bot, waiting, asked)
            case Callback.DEFER_UPDATE:
                asked.original = asked.message
            case Callback.UPDATE if asked.message is not None:
                check_message(draft.body, draft.files, asked.message)
                self.world.revise(asked.message, draft)
                asked.original = asked.message
            case Callback.CHOICES:
                asked.choices = _choices(draft.body)
            case _:
                asked.modal = draft.body

    def _taken(self, asked: Interaction) -> Json:
        facts: Json = {"id": str(asked.id), "type": asked.kind}
        if asked.original is None or asked.callback == Callback.DEFER_UPDATE:
            return {"interaction": facts}
        flags = asked.original.flags
        facts |= {
            "response_message_id": str(asked.original.id),
            "response_message_loading": Flag.LOADING in flags,
            "response_message_ephemeral": Flag.EPHEMERAL in flags,
        }
        resource = {"type": asked.callback, "message": message_shape(asked.original, self.world.bot)}
        return {"interaction": facts} | ({} if asked.callback == Callback.DEFER else {"resource": resource})

    def show(self, call: Call) -> Reply:
        return Reply(200, message_shape(self._message(call), self.world.bot))

    def edit(self, call: Call) -> Reply:
        message = self._message(call)
        require_open(message.channel)
        check_message(call.body, call.files, message)
        self.world.revise(message, Draft(call.body, call.files))
        return Reply(200, message_shape(message, self.world.bot))

    def delete(self, call: Call) -> Reply:
        self.world.remove(self._message(call))
        return Reply()

    def follow_up(self, call: Call) -> Reply:
        """One more message; the first one after a deferral takes the place of the placeholder."""
        asked = self._asked(call)
        check_message(call.body, call.files)
        draft = Draft(call.body, call.files)
        if asked.original is not None and Flag.LOADING in asked.original.flags:
            self.world.revise(asked.original, draft)
            message = asked.original
        else:
            message = self.world.post(asked.channel, self.world.bot, draft, asked)
            asked.followups.append(message)
        return Reply(200, message_shape(message, self.world.bot))

    def _asked(self, call: Call) -> Interaction:
        """The interaction a token belongs to, while it lives."""
        asked = self.world.interactions.get(call.params["webhook_token"])
        if asked is None or call.id("webhook_id") != self.world.bot.id or asked.callback is None:
            raise unknown_webhook()
        if self.world.clock() - asked.created > TOKEN_LIFE:
            raise expired_token()
        return asked

    def _message(self, call: Call) -> Message:
        asked = self._asked(call)
        if "message_id" not in call.params:
            message = asked.original
        else:
            mine = [*asked.followups, *([asked.original] if asked.original else [])]
            message = next((message for message in mine if message.id == call.id("message_id")), None)
        if message is None or message.deleted:
            raise unknown_message()
        return message

    # commands

    def commands(self, call: Call) -> Reply:
        return Reply(200, self.world.commands.get(self._place(call), []))

    def set_commands(self, call: Call) -> Reply:
        """Replace all commands of a place."""
        self.world.commands[self._place(call)] = [self._stored(call, command) for command in call.body]
        self.world.stir()
        return self.commands(call)

    def add_command(self, call: Call) -> Reply:
        known = self.world.commands.setdefault(self._place(call), [])
        command = self._stored(call, call.body)
        same = [old for old in known if (old["name"], old["type"]) == (command["name"], command["type"])]
        known[:] = [old for old in known if old not in same] + [command]
        return Reply(200 if same else 201, command)

    def drop_command(self, call: Call) -> Reply:
        known = self.world.commands.get(self._place(call), [])
        left = [command for command in known if command["id"] != call.params["command_id"]]
        if len(left) == len(known):
            raise unknown_command()
        known[:] = left
        return Reply()

    def _stored(self, call: Call, command: Json) -> Json:
        if _command_size(command) > COMMAND_SIZE:
            text = f"Command exceeds maximum size ({COMMAND_SIZE})"
            raise form_error([("0", "APPLICATION_COMMAND_TOO_LARGE", text)])
        guild = self.world.guilds.get(self._place(call) or 0)
        return command_shape(command, self.world.new_id(), self.world.bot, guild)

    def _place(self, call: Call) -> int | None:
        if "guild_id" not in call.params:
            return None
        if call.id("guild_id") not in self.world.guilds:
            raise unknown_guild()
        return call.id("guild_id")


def _choices(body: Json) -> list[Json]:
    choices: list[Json] = body.get("choices") or []
    if len(choices) > 25:
        raise form_error([("data.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")])
    return choices


def _command_size(command: Json) -> int:
    """Characters of all names, descriptions and choices' values, as Discord counts them."""
    own = len(command["name"]) + len(command.get("description") or "")
    choices = command.get("choices") or ()
    own += sum(len(choice["name"]) + len(json.dumps(choice["value"])) for choice in choices)
    return own + sum(_command_size(option) for option in command.get("options") or ())
