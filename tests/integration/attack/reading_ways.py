"""Each table and view that readers may ask, by each trick that may get around its row filter."""

# ruff: noqa: E501 - a query is read best in one line

from collections.abc import Iterator

from .way import Fate, Way

TABLES = {
    "audit_events": "description",
    "contact_events": "target_name",
    "contact_batches": "contact_id",
    "accounts": "name",
    "actors": "name",
}
"""Name -> a column that holds the account's mark."""

VIEWS = {
    "audit_log": "reason",
    "audit_changes": "new_value",
    "contact_activity": "description",
    "login_sessions": "actor_name",
    "sync_status": "reverse(account_id)",
}

_TRICKS = {
    "by account": "SELECT {column} FROM {table} WHERE account_id = '$account'",
    "without a condition": "SELECT {column} FROM {table}",
    "by a condition that is always true": "SELECT {column} FROM {table} WHERE account_id = '$account' OR 1 = 1",
    "by negation": "SELECT {column} FROM {table} WHERE NOT (account_id != '$account')",
    "by pattern": "SELECT {column} FROM {table} WHERE account_id ILIKE '%$account%'",
    "as a group": "SELECT groupArray({column}) FROM {table} GROUP BY account_id WITH TOTALS",
    "as an extreme": "SELECT argMax({column}, account_id = '$account') FROM {table}",
    "as a scalar": "SELECT (SELECT any({column}) FROM {table} WHERE account_id = '$account')",
    "as the other side of a join": "SELECT b.text FROM (SELECT '$account' AS account_id) AS a "
    "JOIN (SELECT account_id, {column} AS text FROM {table}) AS b USING (account_id)",
    "as what a join lacks": "SELECT b.text FROM (SELECT 'nobody' AS account_id) AS a "
    "FULL JOIN (SELECT account_id, {column} AS text FROM {table}) AS b USING (account_id)",
    "as a union": "SELECT '' AS text UNION ALL SELECT {column} FROM {table} UNION DISTINCT SELECT 'x'",
    "as an exception": "SELECT 'x' EXCEPT SELECT {column} FROM {table} WHERE ignore(accurateCast(concat('x ', {column}), 'UInt8')) = 0",
    "by a window": "SELECT lagInFrame({column}) OVER (ORDER BY account_id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) "
    "FROM (SELECT account_id, {column} FROM {table} UNION ALL SELECT '~', '')",
    "by a common table expression": "WITH found AS (SELECT * FROM {table}) SELECT {column} FROM found WHERE account_id = '$account'",
    "by an alias that hides the account": "SELECT {column} AS shown, 'x' AS account_id FROM {table} AS t WHERE t.account_id = '$account'",
    "by the error of a cast": "SELECT accurateCast(concat('no number ', {column}), 'UInt8') FROM {table} WHERE account_id = '$account'",
    "by an error in the condition": "SELECT 1 FROM {table} WHERE account_id = '$account' AND accurateCast(concat('x ', {column}), 'UInt8') = 1",
    "by an error in the order": "SELECT 1 FROM {table} ORDER BY accurateCast(concat(account_id, {column}), 'UInt8')",
    "with another filter": "SELECT {column} FROM {table} SETTINGS additional_table_filters = {{'{table}': '1'}}",
    "by an older server's rules": "SELECT {column} FROM {table} SETTINGS compatibility = '23.3'",
    "as parallel replicas": "SELECT {column} FROM {table} SETTINGS enable_parallel_replicas = 1, max_parallel_replicas = 3",
    "unoptimized": "SELECT {column} FROM {table} SETTINGS query_plan_enable_optimizations = 0, optimize_move_to_prewhere = 0",
    "from the cache": "SELECT {column} FROM {table} SETTINGS use_query_cache = 1, query_cache_share_between_users = 1, "
    "query_cache_nondeterministic_function_handling = 'save'",
}
"""Each shows the mark of an account to whoever may read that account."""

_COUNTS = {
    "counting all": "SELECT count() FROM {table}",
    "counting without reading": "SELECT count() FROM {table} SETTINGS optimize_trivial_count_query = 1, optimize_use_implicit_projections = 1",
    "counting one": "SELECT countIf(account_id = '$account') FROM {table}",
    "counting accounts": "SELECT uniqExact(account_id) FROM {table} WHERE account_id = '$account'",
    "asking whether there is one": "SELECT exists(SELECT 1 FROM {table} WHERE account_id = '$account')",
    "asking whether a set has it": "SELECT '$account' IN (SELECT account_id FROM {table})",
    "an error where there is one": "SELECT throwIf(account_id = '$account', 'there it is') FROM {table}",
    "a division where there is one": "SELECT intDiv(1, account_id != '$account') FROM {table}",
    "an error before other conditions": "SELECT count() FROM {table} WHERE throwIf(account_id = '$account', 'there it is') = 0 SETTINGS short_circuit_function_evaluation = 'disable'",
    "a distinct list": "SELECT arrayFilter(one -> one = '$account', groupUniqArray(account_id)) FROM {table}",
}
"""Each answers differently where an account has rows."""

_OF_TABLES = {
    "final": "SELECT {column} FROM {table} FINAL WHERE account_id = '$account'",
    "prewhere": "SELECT {column} FROM {table} PREWHERE account_id = '$account'",
    "final and prewhere": "SELECT {column} FROM {table} FINAL PREWHERE account_id = '$account' "
    "SETTINGS apply_prewhere_after_final = 0, apply_row_policy_after_final = 1",
    "the filter after final": "SELECT {column} FROM {table} FINAL WHERE account_id = '$account' SETTINGS apply_row_policy_after_final = 1",
    "an error in prewhere": "SELECT {column} FROM {table} PREWHERE ignore(accurateCast(concat('x ', {column}), 'UInt8')) = 0",
    "an error in prewhere with final": "SELECT {column} FROM {table} FINAL PREWHERE ignore(accurateCast(concat('x ', {column}), 'UInt8')) = 0 "
    "SETTINGS apply_row_policy_after_final = 1",
    "a sample of parts": "SELECT {column} FROM {table} WHERE _part != '' AND account_id = '$account'",
    "no primary key": "SELECT {column} FROM {table} WHERE identity(account_id) = '$account' SETTINGS use_primary_key = 0",
    "no skip index": "SELECT {column} FROM {table} WHERE account_id = '$account' SETTINGS use_skip_indexes = 0",
    "lazy columns": "SELECT {column} FROM {table} ORDER BY account_id LIMIT 5 SETTINGS query_plan_optimize_lazy_materialization = 1",
}


def ways() -> Iterator[Way]:
    """All of them, named after trick and table."""
    for table, column in (TABLES | VIEWS).items():
        tricks = _TRICKS | _COUNTS | (_OF_TABLES if table in TABLES else {})
        for trick, sql in tricks.items():
            yield Way(f"{table}: {trick}", sql.format(table=table, column=column), Fate.FILTERED)
