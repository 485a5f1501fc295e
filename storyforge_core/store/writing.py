"""Writing changes: one function per kind. An update is guarded by its `before`."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import assert_never
from uuid import UUID

from storyforge_core.domain.changes import (
    BallotAdded,
    BallotSet,
    CastVote,
    Change,
    ChapterSet,
    ChoiceAdded,
    EntitySet,
    FactSet,
    HeadMoved,
    LookSet,
    LoreSet,
    MemberSet,
    NoteSet,
    Outcome,
    PictureAdded,
    PictureSet,
    RoomSet,
    RulesSet,
    SceneAdded,
    ShelvedSet,
    Standing,
    StoryAdded,
    TitleSet,
    Update,
    VerdictSet,
    VoteSet,
)
from storyforge_core.domain.story import Choice, Playthrough
from storyforge_core.errors import NotFound, Refused
from storyforge_core.ports import Clock
from storyforge_core.store import bible, casebook, chapters, looks, lore, pictures
from storyforge_core.store.codec import CHOICES, RULES, columns, dump
from storyforge_core.store.statement import Db, Statement
from storyforge_core.store.transaction import MEANWHILE

_ADD_STORY = Statement("""
    INSERT INTO story (id, title, premise, genre, tone, seed, created_at, shelved)
    VALUES (:id, :title, :premise, :genre, :tone, :seed, :created_at, :shelved)
""")

_ADD_PLAYTHROUGH = Statement("""
    INSERT INTO playthrough (id, story_id, head_id, note, rules, created_at)
    VALUES (:id, :story, :head, :note, :rules, :created_at)
""")

# Whoever adds a scene holds the story's row until the commit: numbers have no gaps, and branch and take are settled.
_NEXT_NUMBER = Statement("UPDATE story SET scenes = scenes + 1 WHERE id = :story RETURNING scenes")

# The first child of a scene stays on its branch. A later one, and every opening, begins a branch.
_ADD_SCENE = Statement("""
    WITH parent AS (
        SELECT branch_id, depth FROM scene WHERE id = :parent AND story_id = :story
    ), begun AS (
        INSERT INTO branch (id, story_id, parent_id, fork_depth)
        SELECT :branch, :story, (SELECT branch_id FROM parent), coalesce((SELECT depth FROM parent), -1)
         WHERE :parent::uuid IS NULL
            OR EXISTS (SELECT FROM scene JOIN parent ON scene.branch_id = parent.branch_id
                                                   AND scene.depth = parent.depth + 1)
        RETURNING id
    )
    INSERT INTO scene (id, story_id, number, parent_id, choice_id, branch_id, depth, take,
                       title, prose, origin, writer, run_id, created_at)
    SELECT :id, :story, :number, :parent, :choice,
           coalesce((SELECT id FROM begun), (SELECT branch_id FROM parent)),
           coalesce((SELECT depth FROM parent), -1) + 1,
           CASE WHEN :parent::uuid IS NULL
                THEN (SELECT coalesce(max(take), 0) + 1 FROM scene WHERE story_id = :story AND parent_id IS NULL)
                ELSE (SELECT coalesce(max(take), 0) + 1 FROM scene
                       WHERE story_id = :story AND parent_id = :parent AND choice_id IS NOT DISTINCT FROM :choice)
           END,
           :title, :prose, :origin, :writer, :run, :created_at
     WHERE :parent::uuid IS NULL OR EXISTS (SELECT FROM parent)
    RETURNING id
""")

_ADD_CHOICES = Statement("""
    INSERT INTO choice (id, scene_id, position, text, author_id)
    SELECT id, scene, position, text, author
      FROM jsonb_to_recordset(:choices::jsonb)
        AS added (id uuid, scene uuid, position smallint, text text, author uuid)
""")

_ADD_BALLOT = Statement("""
    INSERT INTO ballot (id, playthrough_id, scene_id, opened_at, deadline)
    VALUES (:ballot, :playthrough, :scene, :opened_at, :deadline)
""")

_MOVE_HEAD = Statement("""
    UPDATE playthrough SET head_id = :after
     WHERE id = :playthrough AND head_id IS NOT DISTINCT FROM :before RETURNING id
""")

_SET_TITLE = Statement("UPDATE story SET title = :after WHERE id = :story AND title = :before RETURNING id")

_SET_NOTE = Statement("UPDATE playthrough SET note = :after WHERE id = :playthrough AND note = :before RETURNING id")

_SET_SHELVED = Statement("UPDATE story SET shelved = :after WHERE id = :story AND shelved = :before RETURNING id")

_SET_VALUE = MappingProxyType(
    {HeadMoved: _MOVE_HEAD, TitleSet: _SET_TITLE, NoteSet: _SET_NOTE, ShelvedSet: _SET_SHELVED}
)

# Contained in, not equal to: what was stored before a setting was invented does not name it.
_SET_RULES = Statement("""
    UPDATE playthrough SET rules = :after WHERE id = :playthrough AND rules <@ :before::jsonb RETURNING id
""")

_ADD_MEMBER = Statement("""
    INSERT INTO member (playthrough_id, player_id, state, host) VALUES (:playthrough, :player, :state, :host)
    ON CONFLICT DO NOTHING RETURNING player_id
""")

_SET_MEMBER = Statement("""
    UPDATE member SET state = :state, host = :host
     WHERE playthrough_id = :playthrough AND player_id = :player AND state = :was_state AND host = :was_host
    RETURNING player_id
""")

_REMOVE_MEMBER = Statement("""
    DELETE FROM member
     WHERE playthrough_id = :playthrough AND player_id = :player AND state = :was_state AND host = :was_host
    RETURNING player_id
""")

_SET_ROOM = Statement("""
    UPDATE room SET playthrough_id = :after WHERE id = :room AND playthrough_id IS NOT DISTINCT FROM :before
    RETURNING id
""")

# A room is shown what happens from now on, not what happened elsewhere before it came.
_BEGIN_CURSOR = Statement("""
    INSERT INTO room_cursor (room_id, playthrough_id, event_id)
    SELECT :room, :playthrough, coalesce(max(id), 0) FROM event WHERE playthrough_id = :playthrough
    ON CONFLICT (room_id, playthrough_id) DO UPDATE SET event_id = excluded.event_id
""")

_ADD_VOTE = Statement("""
    INSERT INTO vote (ballot_id, player_id, choice_id, at) VALUES (:ballot, :player, :choice, :at)
    ON CONFLICT DO NOTHING RETURNING player_id
""")

_SET_VOTE = Statement("""
    UPDATE vote SET choice_id = :choice, at = :at
     WHERE ballot_id = :ballot AND player_id = :player AND choice_id = :was_choice AND at = :was_at
    RETURNING player_id
""")

_REMOVE_VOTE = Statement("""
    DELETE FROM vote WHERE ballot_id = :ballot AND player_id = :player AND choice_id = :was_choice AND at = :was_at
    RETURNING player_id
""")

_SET_BALLOT = Statement("""
    UPDATE ballot SET status = :status, winner_id = :winner
     WHERE id = :ballot AND status = :was_status AND winner_id IS NOT DISTINCT FROM :was_winner
    RETURNING id
""")


async def write(db: Db, clock: Clock, change: Change) -> None:
    """Write one change.

    Raises:
        Refused: an update's `before` is no longer what is stored.
        NotFound: a scene's parent is not in its story.
    """
    match change:
        case StoryAdded():
            await _ADD_STORY.run(db, **columns(change.story))
            await _ADD_PLAYTHROUGH.run(db, **_with_rules(change.playthrough))
        case SceneAdded():
            await _add_scene(db, change, branch=clock.new_id())
        case ChoiceAdded():
            await _add_choices(db, (change.choice,))
        case BallotAdded():
            await _ADD_BALLOT.run(db, **columns(change))
        case PictureAdded():
            await pictures.add(db, change.picture)
        case _:
            await _update(db, change)


async def _add_scene(db: Db, change: SceneAdded, branch: UUID) -> None:
    number = await _NEXT_NUMBER.value(db, story=change.scene.story)
    added = await _ADD_SCENE.value(db, **columns(change.scene), number=number, branch=branch)
    if added is None:
        raise NotFound("The scene that this one should follow is not in this story.")
    await _add_choices(db, change.choices)
    await lore.add_told(db, change.scene.id, change.lore)


async def _add_choices(db: Db, choices: Sequence[Choice]) -> None:
    if choices:
        await _ADD_CHOICES.run(db, choices=dump(CHOICES, tuple(choices)))


async def _update(db: Db, change: Update) -> None:  # noqa: C901, PLR0912 - one case for each update there is
    match change:
        case HeadMoved() | TitleSet() | NoteSet() | ShelvedSet():
            done = await _SET_VALUE[type(change)].value(db, **columns(change))
        case RulesSet():
            before, after = dump(RULES, change.before), dump(RULES, change.after)
            done = await _SET_RULES.value(db, playthrough=change.playthrough, before=before, after=after)
        case MemberSet():
            done = await _set_member(db, change)
        case RoomSet():
            done = await _set_room(db, change)
        case VoteSet():
            done = await _set_vote(db, change)
        case LoreSet():
            done = await lore.put(db, change)
        case BallotSet():
            done = await _SET_BALLOT.value(db, ballot=change.ballot, **columns(change.after), **_was(change.before))
        case EntitySet():
            done = await bible.set_entity(db, change)
        case FactSet():
            done = await bible.set_fact(db, change)
        case LookSet():
            done = await looks.put(db, change)
        case VerdictSet():
            done = await casebook.set_standing(db, change)
        case ChapterSet():
            done = await chapters.set_ending(db, change)
        case PictureSet():
            done = await pictures.set_shown(db, change)
        case _:
            assert_never(change)
    if not done:
        raise Refused(MEANWHILE)


async def _set_member(db: Db, change: MemberSet) -> object:
    values = {"playthrough": change.playthrough, "player": change.player, **_was(change.before)}
    if change.after is None:
        return await _REMOVE_MEMBER.value(db, **values)
    statement = _ADD_MEMBER if change.before is None else _SET_MEMBER
    return await statement.value(db, **values, **columns(change.after))


async def _set_vote(db: Db, change: VoteSet) -> object:
    values = {"ballot": change.ballot, "player": change.player, **_was(change.before)}
    if change.after is None:
        return await _REMOVE_VOTE.value(db, **values)
    statement = _ADD_VOTE if change.before is None else _SET_VOTE
    return await statement.value(db, **values, **columns(change.after))


async def _set_room(db: Db, change: RoomSet) -> object:
    done = await _SET_ROOM.value(db, **columns(change))
    if done and change.after:
        await _BEGIN_CURSOR.run(db, room=change.room, playthrough=change.after)
    return done


def _with_rules(playthrough: Playthrough) -> dict[str, object]:
    return columns(playthrough) | {"rules": dump(RULES, playthrough.rules)}


def _was(side: Standing | CastVote | Outcome | None) -> dict[str, object]:
    return {f"was_{name}": value for name, value in columns(side).items()} if side else {}
