import time
from uuid import RFC_4122, uuid5

from audit_producers.ids import _NAMESPACE, derived_id, id_of_key, uuid7


def test_fresh_ids_are_of_version_7_and_carry_the_time():
    before = time.time_ns() // 1_000_000
    minted = uuid7()
    after = time.time_ns() // 1_000_000

    assert (minted.version, minted.variant) == (7, RFC_4122)
    assert before <= minted.int >> 80 <= after


def test_fresh_ids_differ_and_follow_time():
    minted = [uuid7() for _ in range(10_000)]
    time.sleep(0.002)

    assert len(set(minted)) == 10_000
    assert max(minted) < uuid7()


def test_a_key_gives_the_same_id_each_time_and_another_for_every_account_and_service():
    made = id_of_key("acme", "helpdesk", "import-7")

    assert made == id_of_key("acme", "helpdesk", "import-7")
    assert made.version == 5
    others = {id_of_key("acme", "helpdesk", "import-8"), id_of_key("acme2", "helpdesk", "import-7")}
    assert made not in others | {id_of_key("acme", "billing", "import-7")}


def test_the_parts_of_a_key_cannot_run_into_each_other():
    assert id_of_key("a", "bc", "d") != id_of_key("ab", "c", "d")
    assert derived_id(b"ab") != derived_id(b"a")


def test_a_derived_id_is_the_standard_one():
    assert derived_id("Grüße".encode()) == uuid5(_NAMESPACE, "Grüße")
