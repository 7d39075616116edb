"""Ways by ids that are known: whoever knows an event, a contact or a word wants to know what is behind."""

# ruff: noqa: E501 - a query is read best in one line

from collections.abc import Iterator

from .way import Fate, Way

_INDEXED = "replaceRegexpAll(lowerUTF8(concatWithSeparator(' ', description, actor_name, actor_email, target_name, target_id, address, reason)), '[0-9]+', ' ')"
"""What the index of words is made of: it holds the words of all accounts."""

_FILTERED = {
    "an event by its id": "SELECT description FROM audit_log WHERE event_id = '$event'",
    "an event by its id in the table": "SELECT description FROM audit_events WHERE event_id = '$event'",
    "an event by its index": "SELECT description FROM audit_events WHERE event_id = '$event' SETTINGS force_data_skipping_indices = 'by_event'",
    "an event with final and the index": "SELECT description FROM audit_events FINAL WHERE event_id = '$event' SETTINGS use_skip_indexes_if_final_exact_mode = 0",
    "an event's changes": "SELECT old_value, new_value FROM audit_changes WHERE event_id = '$event'",
    "an event of a contact": "SELECT description FROM contact_activity WHERE contact_id = '$contact'",
    "a contact's table": "SELECT target_name FROM contact_events WHERE target_id = '$contact'",
    "a contact's batches": "SELECT contact_id, topic FROM contact_batches WHERE startsWith(contact_id, '$mark')",
    "a contact within the log": "SELECT description FROM audit_log WHERE target_id = '$contact'",
    "a word of the log": "SELECT count() FROM audit_log WHERE position(description, '$mark') > 0",
    "a word counted by its index": f"SELECT count() FROM audit_events WHERE {_INDEXED} LIKE '%mark%'",
    "a word found by its index": f"SELECT description FROM audit_events WHERE {_INDEXED} LIKE '%mark%'",
    "a word's accounts": f"SELECT account_id, count() FROM audit_events WHERE {_INDEXED} LIKE '%mark%' GROUP BY account_id",
    "a word of any column": "SELECT count() FROM audit_log WHERE position(formatRow('CSV', *), '$mark') > 0",
    "a word by its beginning": "SELECT countIf(startsWith(name, '$mark')) FROM actors",
    "a set of ids": "SELECT description FROM audit_log WHERE event_id IN [toUUID('$event'), generateUUIDv4()]",
    "the key as a tuple": "SELECT description FROM audit_events WHERE (account_id, event_id) = ('$account', '$event')",
    "every column at once": "SELECT * FROM audit_log WHERE event_id = '$event'",
    "every column of the table, with what is hidden": "SELECT *, stored_at, version FROM audit_events WHERE event_id = '$event'",
    "a hash of the text": "SELECT sum(cityHash64(description)) FROM audit_log WHERE event_id = '$event'",
    "a sum over all texts": "SELECT sum(length(description)), max(description) FROM audit_log WHERE account_id >= '$account'",
    "an approximation": "SELECT topK(5)(actor_name) FROM audit_log",
    "a sketch": "SELECT uniqCombined(actor_name), groupArraySample(50)(actor_name) FROM audit_log",
    "a state": "SELECT finalizeAggregation(groupArrayState(description)) FROM audit_events",
    "a map": "SELECT sumMap(map(actor_name, 1)) FROM audit_log",
    "a row as JSON": "SELECT toJSONString(tuple(*)) FROM actors",
    "a join of two tables": "SELECT a.name FROM actors AS a JOIN accounts AS b ON a.account_id = b.account_id WHERE b.account_id = '$account'",
    "a join by the other account": "SELECT e.description FROM accounts AS a JOIN audit_log AS e ON e.account_id = a.account_id",
    "a semi join": "SELECT name FROM accounts LEFT SEMI JOIN actors USING (account_id) WHERE account_id = '$account'",
    "an asof join": "SELECT b.description FROM (SELECT '$account' AS account_id, now64(6, 'UTC') AS at) AS a "
    "ASOF JOIN audit_events AS b ON a.account_id = b.account_id AND a.at >= b.occurred_at",
    "a global set": "SELECT description FROM audit_log WHERE account_id GLOBAL IN (SELECT '$account')",
    "a correlated subquery": "SELECT name, (SELECT any(description) FROM audit_log AS e WHERE e.account_id = a.account_id) FROM accounts AS a",
    "a recursive expression": "WITH RECURSIVE r AS (SELECT account_id, description, 1 AS n FROM audit_log UNION ALL "
    "SELECT account_id, description, n + 1 FROM r WHERE n < 2) SELECT description FROM r",
    "a limit by": "SELECT description FROM audit_log ORDER BY account_id LIMIT 1 BY account_id",
    "a fill": "SELECT account_id, description FROM audit_log ORDER BY occurred_at WITH FILL STEP INTERVAL 1 DAY LIMIT 100",
    "a view over a view": "SELECT * FROM view(SELECT description FROM audit_log WHERE account_id = '$account')",
    "a table of any name": "SELECT description FROM audit.`audit_log`",
    "sessions by actor": "SELECT actor_name, place FROM login_sessions WHERE account_id = '$account'",
    "permissions": "SELECT name, permissions FROM actors WHERE account_id = '$account'",
    "plans": "SELECT name, plan FROM accounts WHERE account_id = '$account'",
}

_HARMLESS = {
    "a plan with indexes": "EXPLAIN indexes = 1, actions = 1 SELECT description FROM audit_events WHERE event_id = '$event'",
    "a plan with its header": "EXPLAIN PLAN header = 1, description = 1 SELECT * FROM audit_events WHERE account_id = '$account'",
    "a pipeline": "EXPLAIN PIPELINE SELECT * FROM audit_log WHERE account_id = '$account'",
    "a syntax": "EXPLAIN SYNTAX SELECT * FROM audit_log WHERE account_id = '$account'",
    "a query tree": "EXPLAIN QUERY TREE run_passes = 1 SELECT * FROM audit_log WHERE account_id = '$account'",
    "a tree with a scalar": "EXPLAIN QUERY TREE SELECT (SELECT any(description) FROM audit_events WHERE account_id = '$account')",
    "an estimate": "EXPLAIN ESTIMATE SELECT description FROM audit_events WHERE account_id = '$account'",
    "the rows of a part": "SELECT _part, _part_offset FROM audit_events WHERE account_id = '$account'",
    "the sizes of tables": "SELECT name, total_rows, total_bytes, lifetime_rows FROM system.tables WHERE database = 'audit'",
    "everything about tables": "SELECT * FROM system.tables WHERE database = 'audit' ORDER BY name",
    "the sizes of columns": "SELECT * FROM system.columns WHERE database = 'audit' ORDER BY table, position",
    "the list of tables": "SHOW FULL TABLES",
    "the status of tables": "SELECT name, engine_full, data_paths FROM system.tables WHERE database = 'audit'",
    "the databases": "SELECT * FROM system.databases ORDER BY name",
    "the keys of columns": "SHOW KEYS FROM audit_events",
    "the columns": "SHOW FULL COLUMNS FROM audit_events",
    "a definition": "SHOW CREATE TABLE audit_events",
    "a view's definition": "SHOW CREATE VIEW audit_log",
    "its own grants": "SHOW GRANTS",
    "its own user": "SHOW CREATE USER",
    "its own filter": "SHOW CREATE ROW POLICY ON audit.audit_events",
    "its own settings": "SELECT name, value FROM system.settings WHERE changed ORDER BY name",
    "its own name": "SELECT currentUser(), user(), currentRoles(), enabledRoles(), currentProfiles()",
    "a setting": "SELECT getSetting('readonly'), getSetting('max_execution_time')",
    "the server's setting": "SELECT getServerSetting('max_concurrent_queries')",
    "what is permitted or something else": "SELECT * FROM viewIfPermitted(SELECT value FROM dead_letters ELSE null('value Nullable(String)'))",
    "a projection": "SELECT * FROM mergeTreeProjection('audit', 'audit_events', 'p')",
    "a cluster": "SELECT * FROM cluster('default', 'audit', 'audit_events')",
    "all replicas": "SELECT * FROM clusterAllReplicas('default', 'audit', 'dead_letters')",
    "input": "SELECT * FROM input('x String')",
    "a joined table": "SELECT joinGet('audit.actors', 'name', '$account')",
    "a dictionary's value": "SELECT dictGet('audit.accounts', 'name', '$account')",
    "a named collection": "SELECT * FROM remote(audit)",
    "an index of words": "SELECT * FROM mergeTreeTextIndex('audit', 'audit_events', 'by_words')",
    "a part by name": "SELECT * FROM mergeTreeAnalyzeIndexes('audit', 'audit_events')",
    "random rows of a table's shape": "SELECT * FROM generateRandom('a String', 1) LIMIT 1",
    "fuzzed texts": "SELECT * FROM fuzzQuery('SELECT description FROM audit_log', 500, 1) LIMIT 3",
    "dead letters by merge()": "SELECT * FROM merge('audit', '^dead_letters$')",
    "all tables by merge()": "SELECT value FROM merge('audit', 'dead_letters|accounts')",
    "a comment that ends the filter": "SELECT description FROM audit_log /* */ WHERE 1 -- '$account'",
    "another dialect": "SELECT 1 SETTINGS dialect = 'kusto', allow_experimental_kusto_dialect = 1",
    "two statements": "SELECT 1; SELECT value FROM dead_letters",
    "a variable": "SET param_account = '$account'",
    "describing by a query": "DESCRIBE (SELECT any(description) FROM audit_events WHERE account_id = '$account')",
    "a file of the client": "SELECT description FROM audit_log INTO OUTFILE '/tmp/attack.csv'",
    "completions": "SELECT word FROM system.completions WHERE word LIKE '%$mark%'",
    "how complete": "SELECT partitions FROM completeness",
}

_UNSTEADY = {"an estimate", "a plan with indexes", "fuzzed texts", "a part by name", "a pipeline"}
"""They count granules, in which an account's first and last rows lie beside its neighbours'."""


def ways() -> Iterator[Way]:
    """All of them."""
    for name, sql in _FILTERED.items():
        yield Way(name, sql, Fate.FILTERED)
    for name, sql in _HARMLESS.items():
        yield Way(name, sql, Fate.HARMLESS, steady=name not in _UNSTEADY)
