"""What somebody is told who finds no place any more."""

from collections.abc import Iterator
from contextlib import contextmanager

from rooms.store import CapacityError, TenantCapacityError
from webrtc.errors import ClientError


@contextmanager
def fullness_is_told(reason: str, detail: str, retry_after_s: float) -> Iterator[None]:
    """Have a store's refusal for want of places answered.

    Args:
        reason: where the limit that is reached is none of the tenant's.
        detail: the same in words.
        retry_after_s: when trying again makes sense.

    Raises:
        ClientError: `tenant_full`, or `reason`.
    """
    try:
        yield
    except TenantCapacityError:
        told = "this token's tenant has as many rooms or participants as it may"
        raise ClientError("tenant_full", told, retry_after_s) from None
    except CapacityError:
        raise ClientError(reason, detail, retry_after_s) from None
