"""Ways that need a right which no reader has: other tables, other sources, writing, and the server's own commands."""

# ruff: noqa: E501 - a query is read best in one line

from collections.abc import Iterator

from .way import Fate, Way

_TABLES = {
    "dead letters": "SELECT value FROM dead_letters",
    "dead letters by count": "SELECT count() FROM dead_letters",
    "dead letters, final": "SELECT base64Decode(value) FROM dead_letters FINAL",
    "dead letters' shape": "DESCRIBE TABLE dead_letters",
    "dead letters' definition": "SHOW CREATE TABLE dead_letters",
    "dead letters' existence": "EXISTS TABLE dead_letters",
    "dead letters' columns": "SELECT hasColumnInTable('audit', 'dead_letters', 'value')",
    "dead letters within a set": "SELECT 1 WHERE 'x' IN (SELECT value FROM dead_letters)",
    "dead letters within a join": "SELECT d.value FROM accounts AS a JOIN dead_letters AS d ON 1 = 1",
    "dead letters within a scalar": "SELECT (SELECT any(value) FROM dead_letters)",
    "dead letters within a view": "SELECT * FROM view(SELECT value FROM dead_letters)",
    "dead letters within a plan": "EXPLAIN SELECT value FROM dead_letters",
    "what was done about dead letters": "SELECT * FROM dead_letter_handling",
    "producers": "SELECT * FROM producer_records",
    "migrations": "SELECT * FROM schema_migrations",
    "marks with offsets": "SELECT offset FROM partition_marks",
    "all of the marks": "SELECT * FROM partition_marks",
    "a storage table by its id": "SELECT * FROM mergeTreeIndex('audit', 'audit_events')",
    "an index with its marks": "SELECT * FROM mergeTreeIndex('audit', 'actors', with_marks = true)",
    "an index of contacts": "SELECT * FROM mergeTreeIndex('audit', 'contact_events')",
    "an index of accounts": "SELECT * FROM mergeTreeIndex('audit', 'accounts')",
    "an endless table": "SELECT * FROM loop('audit', 'actors') LIMIT 10",
}

_SYSTEM = (
    "asynchronous_inserts",
    "backups",
    "clusters",
    "data_skipping_indices",
    "detached_parts",
    "dictionaries",
    "disks",
    "errors",
    "events",
    "grants",
    "merges",
    "metrics",
    "moves",
    "mutations",
    "named_collections",
    "parts",
    "parts_columns",
    "processes",
    "projection_parts",
    "query_cache",
    "query_condition_cache",
    "quotas_usage",
    "replicas",
    "row_policies",
    "server_settings",
    "stack_trace",
    "user_processes",
    "users",
    "view_refreshes",
    "warnings",
)

_SOURCES = {
    "a file of the server": "SELECT * FROM file('/etc/hostname', 'LineAsString')",
    "the data files": "SELECT * FROM file('store/**/data.bin', 'RawBLOB')",
    "the users' configuration": "SELECT * FROM file('users.xml', 'LineAsString')",
    "its own address": "SELECT * FROM remote('127.0.0.1', 'audit', 'audit_events')",
    "its own address as another": "SELECT * FROM remote('127.0.0.1', 'audit', 'dead_letters', 'default', '')",
    "its own HTTP": "SELECT * FROM url('http://127.0.0.1:8123/?query=SELECT+1', 'LineAsString')",
    "object storage": "SELECT * FROM s3('http://127.0.0.1:9/bucket/x.csv', 'CSV', 'a String')",
    "another database": "SELECT * FROM mysql('127.0.0.1:9', 'db', 't', 'u', 'p')",
    "a third database": "SELECT * FROM postgresql('127.0.0.1:9', 'db', 't', 'u', 'p')",
    "a document store": "SELECT * FROM mongodb('127.0.0.1:9', 'db', 't', 'u', 'p', 'a String')",
    "a key-value store": "SELECT * FROM redis('127.0.0.1:9', 'k', 'k String, v String')",
    "a bridge": "SELECT * FROM odbc('DSN=x', 'db', 't')",
    "a database file": "SELECT * FROM sqlite('/tmp/x.db', 't')",
    "a program": "SELECT * FROM executable('x.sh', 'TSV', 'a String')",
    "a dictionary": "SELECT * FROM dictionary('accounts')",
}

_WRITES = {
    "inserting": "INSERT INTO accounts (account_id, name, zone) VALUES ('$account', 'x', 'UTC')",
    "inserting into the log": "INSERT INTO audit_events (account_id) SELECT account_id FROM audit_events",
    "inserting into a file": "INSERT INTO FUNCTION file('/tmp/x.csv', 'CSV') SELECT 1 AS one",
    "inserting elsewhere": "INSERT INTO FUNCTION url('http://127.0.0.1:9/', 'CSV') SELECT 1 AS one",
    "inserting by another": "INSERT INTO FUNCTION remote('127.0.0.1', 'audit', 'accounts', 'default', '') SELECT * FROM accounts",
    "a copy": "CREATE TABLE copy ENGINE = MergeTree ORDER BY account_id AS SELECT * FROM audit_events",
    "a clone": "CREATE TABLE copy CLONE AS audit_events",
    "a table in memory": "CREATE TEMPORARY TABLE copy AS SELECT * FROM audit_events",
    "a view with its maker's rights": "CREATE VIEW mine DEFINER = audit_admin SQL SECURITY DEFINER AS SELECT * FROM audit_events",
    "a view without rights": "CREATE VIEW mine SQL SECURITY NONE AS SELECT * FROM audit_events",
    "a view that copies": "CREATE MATERIALIZED VIEW mine ENGINE = Memory AS SELECT * FROM audit_events",
    "a view in place of ours": "CREATE OR REPLACE VIEW audit_log AS SELECT * FROM dead_letters",
    "a table that merges": "CREATE TABLE merged ENGINE = Merge('audit', '.*')",
    "a table elsewhere": "CREATE TABLE far AS remote('127.0.0.1', 'audit', 'accounts')",
    "a dictionary of ours": "CREATE DICTIONARY d (account_id String, name String) PRIMARY KEY account_id "
    "SOURCE(CLICKHOUSE(TABLE 'accounts' DB 'audit' USER 'default')) LIFETIME(0) LAYOUT(COMPLEX_KEY_HASHED())",
    "a database": "CREATE DATABASE mine",
    "a function": "CREATE FUNCTION mine AS (x) -> x",
    "a named collection": "CREATE NAMED COLLECTION mine AS a = 1",
    "changing a row": "ALTER TABLE accounts UPDATE name = 'x' WHERE 1",
    "deleting a row": "DELETE FROM accounts WHERE account_id = '$account'",
    "a projection": "ALTER TABLE accounts ADD PROJECTION p (SELECT * ORDER BY name)",
    "a column": "ALTER TABLE accounts ADD COLUMN x String",
    "a view's query": "ALTER TABLE audit_log MODIFY SQL SECURITY NONE",
    "moving": "RENAME TABLE accounts TO mine",
    "exchanging": "EXCHANGE TABLES accounts AND actors",
    "emptying": "TRUNCATE TABLE accounts",
    "dropping": "DROP TABLE accounts",
    "detaching": "DETACH TABLE accounts",
    "optimizing": "OPTIMIZE TABLE accounts FINAL",
    "checking": "CHECK TABLE accounts",
    "a backup": "BACKUP TABLE accounts TO File('x')",
    "restoring": "RESTORE TABLE accounts FROM File('x')",
}

_COMMANDS = {
    "killing": "KILL QUERY WHERE user != currentUser()",
    "flushing logs": "SYSTEM FLUSH LOGS",
    "reloading": "SYSTEM RELOAD USERS",
    "stopping merges": "SYSTEM STOP MERGES accounts",
    "listening": "SYSTEM START LISTEN HTTP",
    "dropping caches": "SYSTEM DROP QUERY CACHE",
    "granting": "GRANT SELECT ON *.* TO CURRENT_USER",
    "another user": "CREATE USER other IDENTIFIED BY 'x'",
    "another password": "ALTER USER audit_admin IDENTIFIED BY 'x'",
    "a role": "CREATE ROLE mine",
    "a profile": "CREATE SETTINGS PROFILE mine SETTINGS readonly = 0",
    "a row policy": "CREATE ROW POLICY mine ON audit.audit_events USING 1 TO ALL",
    "taking a row policy away": "DROP ROW POLICY IF EXISTS mine ON audit.audit_events",
    "all access": "SHOW ACCESS",
    "all users": "SHOW USERS",
    "the administrator": "SHOW CREATE USER audit_admin",
    "the administrator's grants": "SHOW GRANTS FOR audit_admin",
    "all processes": "SHOW PROCESSLIST",
    "where a function is": "SELECT demangle(addressToSymbol(1)) SETTINGS allow_introspection_functions = 1",
    "being another": "EXECUTE AS audit_admin SELECT * FROM audit_events",
    "being another role": "SET DEFAULT ROLE ALL TO audit_admin",
}

_LIMITS = {
    "writing": "SELECT 1 SETTINGS readonly = 0",
    "no limit of time": "SELECT 1 SETTINGS max_execution_time = 0",
    "more time": "SELECT 1 SETTINGS max_execution_time = 86400",
    "part of an answer at the end of time": "SELECT 1 SETTINGS timeout_overflow_mode = 'break'",
    "no limit of memory": "SELECT 1 SETTINGS max_memory_usage = 0",
    "more memory": "SELECT 1 SETTINGS max_memory_usage_for_user = 1000000000000",
    "no limit of rows": "SELECT 1 SETTINGS max_rows_to_read = 0",
    "more rows": "SELECT 1 SETTINGS max_result_rows = 1000000000",
    "more queries": "SELECT 1 SETTINGS max_concurrent_queries_for_user = 1000",
    "no log of queries": "SELECT 1 SETTINGS log_queries = 0",
    "definitions": "SELECT 1 SETTINGS allow_ddl = 1",
}


def ways() -> Iterator[Way]:
    """All of them."""
    system = {f"system.{name}": f"SELECT * FROM system.{name}" for name in _SYSTEM}
    for kind in (_TABLES, system, _SOURCES, _WRITES, _COMMANDS, _LIMITS):
        for name, sql in kind.items():
            yield Way(f"refused: {name}", sql, Fate.REFUSED)
