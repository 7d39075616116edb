"""Log-ins to ClickHouse, each with the least that it needs, as configuration that the server reads by itself.

`roles` says who there is, `objects` what each role may do with which table, `limits` how much it may cost;
`row_filter` binds a log-in to accounts, `document` puts all of it into a file, and `folder` keeps the files.
"""
