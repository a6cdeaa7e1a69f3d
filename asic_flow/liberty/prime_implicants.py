"""All prime implicants of a truth table, after Quine and McCluskey."""

from itertools import combinations

__all__ = ["prime_implicants"]


def prime_implicants(table: int, variables: int) -> list[tuple[int, int]]:
    """Each prime as (cares, values): it holds where the variables of ``cares`` are ``values``.

    ``table`` has 2**variables bits, as
    :func:`~multipede.asic_flow.liberty.boolean.truth_table` gives them.
    Their sum is exact with unknown inputs, too: it is known wherever the known inputs decide.
    """
    cares = (1 << variables) - 1
    cubes = {(cares, place) for place in range(1 << variables) if table >> place & 1}
    primes: set[tuple[int, int]] = set()
    while cubes:
        merged, used = set(), set()
        for one, other in combinations(sorted(cubes), 2):
            differing = one[1] ^ other[1]
            if one[0] == other[0] and differing & (differing - 1) == 0:
                merged.add((one[0] & ~differing, one[1] & ~differing))
                used |= {one, other}
        primes |= cubes - used
        cubes = merged
    return sorted(primes, key=lambda prime: (prime[0].bit_count(), prime))
