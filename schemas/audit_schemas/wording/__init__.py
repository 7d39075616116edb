"""What an event is called, by a catalogue: its module and its sentence, as pure functions.

The processor decides them as an event comes; for what is stored the sinks decide them again when
the catalogue changes.
"""
