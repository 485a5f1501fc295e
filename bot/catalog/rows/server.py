"""What those decide who manage a server."""

from typing import Final

from bot.catalog.row import HOST, Argument, Group, Row
from bot.catalog.rows.host import RULES
from storyforge_core.domain.commands import ChangeSpace, ShowSpace

_OFF = Argument(name="off", help="takes it off the list", kind="word", words=("off",))

SERVER: Final = Group(
    name="Server",
    root=HOST,
    rows=(
        Row(
            name="setup show",
            help="See what was decided for the whole server",
            more="Where stories begin, who begins them, what they begin with, and who may not play.",
            example="/story setup show",
            who="managers",
            build=lambda _: ShowSpace(),
        ),
        Row(
            name="setup channel",
            help="Let stories begin in a channel, and only in those listed",
            more="With off at the end it is taken off the list; with none on the list stories begin everywhere.",
            example="/story setup channel 81384788765712384",
            arguments=(Argument(name="channel", help="the channel", kind="channel", required=True), _OFF),
            who="managers",
            build=lambda given: ChangeSpace("channel", given["channel"], lift=bool(given["off"])),
        ),
        Row(
            name="setup starters",
            help="Decide who begins stories: everyone, managers, or one role",
            more="Those who manage the server always may.",
            example="/story setup starters managers",
            arguments=(
                Argument(name="who", help="everyone or managers", kind="word", words=("everyone", "managers")),
                Argument(name="role", help="or those with this role", kind="role"),
            ),
            who="managers",
            build=lambda given: ChangeSpace("starters", given["who"] or given["role"]),
        ),
        Row(
            name="setup adults",
            help="Let stories begin in age-restricted channels only",
            more="Those of before go on where they are.",
            example="/story setup adults on",
            arguments=(Argument(name="switch", help="on or off", kind="word", words=("on", "off"), required=True),),
            who="managers",
            build=lambda given: ChangeSpace("adults", given["switch"]),
        ),
        Row(
            name="setup default",
            help="Choose a setting that new stories begin with",
            more="Without a value, what the owner of the program has set counts again. /story settings explains them.",
            example="/story setup default quorum 3",
            arguments=(
                Argument(name="name", help="the setting", kind="word", words=RULES, required=True),
                Argument(name="value", help="what it should be"),
            ),
            who="managers",
            build=lambda given: ChangeSpace("default", f"{given['name']} {given['value']}"),
        ),
        Row(
            name="setup block",
            help="Keep somebody out of all stories of the server",
            more="With off at the end they may play again. What they have told stays.",
            example="/story setup block 81384788765712384",
            arguments=(Argument(name="person", help="who", kind="person", required=True), _OFF),
            who="managers",
            build=lambda given: ChangeSpace("block", given["person"], lift=bool(given["off"])),
        ),
        Row(
            name="setup mature",
            help="Let pictures for adults hang in a room of Matrix",
            more="On Discord they hang in age-restricted channels, whatever is decided here.",
            example="/story setup mature on",
            arguments=(Argument(name="switch", help="on or off", kind="word", words=("on", "off"), required=True),),
            who="managers",
            build=lambda given: ChangeSpace("mature", given["switch"]),
        ),
        Row(
            name="setup stream",
            help="Choose how scenes appear: word by word, by paragraphs, or when finished",
            more="A scene that is being written goes on as it began.",
            example="/story setup stream paragraphs",
            arguments=(
                Argument(
                    name="manner",
                    help="live, paragraphs or off",
                    kind="word",
                    words=("live", "paragraphs", "off"),
                    required=True,
                ),
            ),
            who="managers",
            build=lambda given: ChangeSpace("stream", given["manner"]),
        ),
    ),
)
