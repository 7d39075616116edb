"""`audit rebuild`: the tables again from the topics, into tables beside them."""
