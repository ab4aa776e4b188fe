"""
Everything that can go wrong, drawn once.

The docstring of a class is the message its reader gets; `code` is for programs and never changes; attributes carry
the facts. `api.http` turns codes into statuses with one table, and the client reads the same table backwards.

    Problem
    ├── Refused                      the caller may not, or not like this
    │   ├── Unauthenticated          a signature check failed
    │   ├── DraftNotFound · VersionNotFound · NothingToUndo
    │   ├── TrackerNotFound · CustomizationNotFound · RecommenderNotFound · JobNotFound · PathNotFound
    │   ├── MethodNotAllowed · UnsupportedMediaType · BodyTooLarge · TooManyRequests
    │   ├── SignInRefused            not this name, or not this password
    │   ├── TooManyAttempts          too many of them failed
    │   ├── FormRefused              a form that does not come from a page of this session
    │   ├── RoleLacking              signed in, and not allowed
    │   ├── MalformedBody            not JSON, or not the right outer shape
    │   ├── FaultyFields             the right shape, with faulty fields: all of them, by field
    │   │   └── FaultyPins
    │   ├── RevisionConflict         changed by someone else since it was read
    │   │   └── DraftConflict        the same of a draft
    │   ├── PublishConflict          what a draft was made from is not what is published by now
    │   └── IdempotencyConflict      one key, two bodies
    ├── CatalogFaults                a batch in which something failed, though the rest was stored
    ├── StoreUnavailable             the database does not answer, or what is in it is not known here yet
    │   ├── StillLoading             this process has just been started
    │   └── RevisionNotReached       this process lags behind what the caller has seen
    ├── ProviderUnavailable          who vouches for people who sign in does not answer
    ├── AccountFault                 an account that is not there, or cannot be as it is wanted
    ├── BuildUnderWay                somebody else builds this tracker's recommenders
    ├── ArtifactConflict             another artifact was published since one began
    ├── UsageFault                   a command or setting that cannot work as given
    │   └── NothingToLearn           a tracker without orders
    ├── PeerUnavailable              the host that a pull asks does not answer
    ├── FaultyRows                   an import file with faulty rows: nothing was stored
    ├── RefusedTogether              writes that come all or none, and some of them cannot
    └── StalePlan                    what a plan would change is not as the plan saw it
"""

from collections.abc import Mapping, Sequence

Details = Mapping[str, Sequence[str]]


class Problem(Exception):
    """Something went wrong."""

    code = "problem"

    def __init__(self, reason: str | None = None, details: Details | None = None) -> None:
        self.reason = reason or (type(self).__doc__ or "").strip().rstrip(".")
        self.details: Details = details or {}
        super().__init__(self.reason)

    def __str__(self) -> str:
        if not self.details:
            return self.reason
        facts = "; ".join(f"{key}: {', '.join(texts)}" for key, texts in self.details.items())
        return f"{self.reason} ({facts})"


class Refused(Problem):
    """The request was refused."""

    code = "refused"


class Unauthenticated(Refused):
    """Authentication failed."""

    code = "unauthenticated"


class TrackerNotFound(Refused):
    """Tracker not found."""

    code = "tracker_not_found"


class CustomizationNotFound(Refused):
    """Customization not found."""

    code = "customization_not_found"


class DraftNotFound(Refused):
    """This customization has no draft."""

    code = "draft_not_found"


class VersionNotFound(Refused):
    """The customization has no version of this revision."""

    code = "version_not_found"


class NothingToUndo(Refused):
    """There is nothing to undo."""

    code = "nothing_to_undo"


class RecommenderNotFound(Refused):
    """Recommender not found."""

    code = "recommender_not_found"


class JobNotFound(Refused):
    """Job not found."""

    code = "job_not_found"


class PathNotFound(Refused):
    """Path not found."""

    code = "path_not_found"


class MethodNotAllowed(Refused):
    """Method not allowed."""

    code = "method_not_allowed"

    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = tuple(allowed)
        super().__init__(details={"method": [f"Must be one of: {', '.join(allowed)}"]})


class UnsupportedMediaType(Refused):
    """The body must be JSON: send Content-Type application/json."""

    code = "unsupported_media_type"


class BodyTooLarge(Refused):
    """The body is too large."""

    code = "body_too_large"


class TooManyRequests(Refused):
    """Too many requests."""

    code = "too_many_requests"

    def __init__(self, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(details={"retry_after": [f"{retry_after_seconds} s"]})


class SignInRefused(Refused):
    """The name or the password is not right."""

    code = "sign_in_refused"


class TooManyAttempts(Refused):
    """Too many attempts to sign in failed."""

    code = "too_many_attempts"

    def __init__(self, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(details={"retry_after": [f"{retry_after_seconds} s"]})


class FormRefused(Refused):
    """This form does not come from a page that you have open; load the page again and repeat."""

    code = "form_refused"


class RoleLacking(Refused):
    """Your role does not allow this."""

    code = "role_lacking"


class MalformedBody(Refused):
    """Invalid configuration provided."""

    code = "malformed_body"


class FaultyFields(Refused):
    """Invalid customization provided."""

    code = "faulty_fields"


class FaultyPins(FaultyFields):
    """Invalid pin definition provided."""

    code = "faulty_pins"


class RevisionConflict(Refused):
    """The customization was changed by someone else since you read it."""

    code = "revision_conflict"


class DraftConflict(RevisionConflict):
    """The draft was changed by someone else since you read it."""

    code = "draft_conflict"


class PublishConflict(Refused):
    """What is published was changed by someone else since this draft was made from it."""

    code = "publish_conflict"


class IdempotencyConflict(Refused):
    """This Idempotency-Key was used with another body."""

    code = "idempotency_conflict"


class CatalogFault(Problem):
    """One object of a catalog batch that was not stored."""

    code = "catalog_fault"

    def __init__(self, kind: str, reason: str, caused_by: Details | None = None) -> None:
        self.kind = kind
        super().__init__(reason, caused_by)


class CatalogFaults(Problem):
    """Some objects were not stored."""

    code = "catalog_faults"

    def __init__(self, ok_count: int, faults: Mapping[str, CatalogFault]) -> None:
        self.ok_count = ok_count
        self.faults = dict(faults)
        super().__init__(details={key: [str(fault)] for key, fault in faults.items()})


class StoreUnavailable(Problem):
    """The store cannot be reached; try again shortly."""

    code = "store_unavailable"
    retry_after_seconds = 1


class StillLoading(StoreUnavailable):
    """This process is still loading; try again shortly."""

    code = "still_loading"


class RevisionNotReached(StoreUnavailable):
    """What you have seen is not shown here yet; try again shortly."""

    code = "revision_not_reached"


class ProviderUnavailable(Problem):
    """The sign-in provider does not answer as it should; try again in a minute."""

    code = "provider_unavailable"


class AccountFault(Problem):
    """This cannot be done with this user."""

    code = "account"


class BuildUnderWay(Problem):
    """This tracker's recommenders are being built by another process; wait until it is done."""

    code = "build_under_way"


class ArtifactConflict(Problem):
    """Another artifact was published meanwhile; this one is kept, and is not served."""

    code = "artifact_conflict"


class UsageFault(Problem):
    """This cannot work as given."""

    code = "usage"


class NothingToLearn(UsageFault):
    """There are no orders to learn from; import transactions first, or have pages tell them."""

    code = "nothing_to_learn"


class PeerUnavailable(Problem):
    """The host to pull from does not answer; what came so far is stored, and --resume goes on from there."""

    code = "peer_unavailable"


class FaultyRows(Problem):
    """The file has faulty rows; nothing was stored."""

    code = "faulty_rows"

    def __init__(
        self, faults: Mapping[int, str], *, total: int | None = None, unit: str = "line"
    ) -> None:
        self.faults = dict(faults)
        self.total = total if total is not None else len(self.faults)
        super().__init__(details={f"{unit} {line}": [text] for line, text in self.faults.items()})


class RefusedTogether(Problem):
    """Some of these writes cannot be made, so none was."""

    code = "refused_together"

    def __init__(self, refusals: Mapping[int, Problem]) -> None:
        """`refusals` by index among the writes."""
        self.refusals = dict(refusals)
        super().__init__(
            details={f"write {index}": [str(each)] for index, each in refusals.items()}
        )


class StalePlan(Problem):
    """The tracker has changed since this plan was made, so nothing was written; make a new plan."""

    code = "stale_plan"
