"""Codes that are waiting to be typed elsewhere, and two accounts that turn out to be one person."""

from datetime import datetime

from storyforge_core.domain.commands import Speaker
from storyforge_core.domain.story import PlayerId, PlaythroughId
from storyforge_core.domain.tickets import Ticket
from storyforge_core.store.codec import columns
from storyforge_core.store.statement import Db, Statement

# One code of a kind for each asker: a new one makes the old one worthless.
_ISSUE = Statement("""
    WITH stale AS (
        DELETE FROM ticket WHERE expires_at < :now OR (player_id = :player AND kind = :kind)
    )
    INSERT INTO ticket (code, kind, player_id, playthrough_id, expires_at)
    VALUES (:code, :kind, :player, :playthrough, :expires_at)
""")

_REDEEM = Statement("""
    DELETE FROM ticket WHERE code = :code AND expires_at >= :now
    RETURNING code, kind, player_id AS player, playthrough_id AS playthrough, expires_at
""")

# In one order, so that two of these cannot wait for each other.
_LOCK = Statement("""
    SELECT id FROM playthrough WHERE id IN (SELECT playthrough_id FROM member WHERE player_id = :gone)
     ORDER BY id FOR UPDATE
""")

_ACCOUNTS = Statement("UPDATE identity SET player_id = :kept WHERE player_id = :gone")

_MEMBERS = Statement("""
    INSERT INTO member (playthrough_id, player_id, state, host)
    SELECT playthrough_id, :kept, state, host FROM member WHERE player_id = :gone
    ON CONFLICT (playthrough_id, player_id) DO UPDATE
       SET host = member.host OR excluded.host,
           state = CASE WHEN 'banned' IN (member.state, excluded.state) THEN 'banned'
                        WHEN 'joined' IN (member.state, excluded.state) THEN 'joined'
                        ELSE 'left' END
""")

# What is decided stays as it was counted.
_VOTES = Statement("""
    INSERT INTO vote (ballot_id, player_id, choice_id, at)
    SELECT vote.ballot_id, :kept, vote.choice_id, vote.at
      FROM vote JOIN ballot ON ballot.id = vote.ballot_id AND ballot.status = 'open'
     WHERE vote.player_id = :gone
    ON CONFLICT (ballot_id, player_id) DO UPDATE SET choice_id = excluded.choice_id, at = excluded.at
     WHERE excluded.at > vote.at
""")

_NO_MEMBERS = Statement("DELETE FROM member WHERE player_id = :gone")
_NO_VOTES = Statement("""
    DELETE FROM vote USING ballot
     WHERE ballot.id = vote.ballot_id AND ballot.status = 'open' AND vote.player_id = :gone
""")
_NO_TICKETS = Statement("DELETE FROM ticket WHERE player_id = :gone")

_SAME = Statement("""
    UPDATE player SET same_as = :kept, name = (SELECT name FROM player WHERE id = :kept)
     WHERE id = :gone OR same_as = :gone
""")

_ALONE = Statement("""
    WITH person AS (INSERT INTO player (id, name) VALUES (:id, :name) RETURNING id)
    UPDATE identity SET player_id = person.id FROM person WHERE platform = :platform AND user_id = :user
""")

_COUNT_ACCOUNTS = Statement("SELECT count(*) FROM identity WHERE player_id = :player")


async def issue(db: Db, ticket: Ticket, now: datetime) -> None:
    """Keep a code until it is typed."""
    await _ISSUE.run(db, now=now, **columns(ticket))


async def redeem(db: Db, code: str, now: datetime) -> Ticket | None:
    """Take a code in; None when there is none such, or none any more."""
    found = await _REDEEM.row(db, code=code, now=now)
    return Ticket(**found) if found else None


async def same_person(db: Db, kept: PlayerId, gone: PlayerId) -> tuple[PlaythroughId, ...]:
    """Let one player be another from now on; answer the playthroughs that they took part in.

    A ban of either holds for both, the newer vote of both counts, hosts stay hosts. What was said and decided before
    stays under the old player, who is known as the same.
    """
    both = {"kept": kept, "gone": gone}
    theirs = tuple(row["id"] for row in await _LOCK.rows(db, gone=gone))
    for statement in (_ACCOUNTS, _MEMBERS, _VOTES, _SAME):
        await statement.run(db, **both)
    for statement in (_NO_MEMBERS, _NO_VOTES, _NO_TICKETS):
        await statement.run(db, gone=gone)
    return theirs


async def on_their_own(db: Db, player: PlayerId, new: PlayerId, speaker: Speaker) -> bool:
    """Let an account be a person of its own again; False when it is one."""
    if await _COUNT_ACCOUNTS.value(db, player=player) < 2:  # noqa: PLR2004 - nobody else to part from
        return False
    await _ALONE.run(db, id=new, name=speaker.name, platform=speaker.platform, user=speaker.user)
    return True
