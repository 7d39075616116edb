"""Years of past events: from a dump into audit.changes, at a pace that live events do not feel.

sources ──▶ formats ──▶ events (mapping, ids) ──▶ importing (pace, state) ──▶ delivery
"""
