"""A token bucket: how often something may happen. Sans-I/O: `now` is passed in."""


class TokenBucket:
    """Holds up to `burst` tokens and gains `rate_per_s` of them; starts full."""

    __slots__ = ("_burst", "_rate_per_s", "_tokens", "_updated_at")

    def __init__(self, rate_per_s: float, burst: float, now: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._updated_at = now

    def take(self, tokens: float, now: float) -> float:
        """Take `tokens` and return 0, or take nothing and return the seconds to wait."""
        gained = max(0.0, now - self._updated_at) * self._rate_per_s
        self._tokens = min(self._burst, self._tokens + gained)
        self._updated_at = max(self._updated_at, now)
        if tokens <= self._tokens:
            self._tokens -= tokens
            return 0.0
        return (tokens - self._tokens) / self._rate_per_s
