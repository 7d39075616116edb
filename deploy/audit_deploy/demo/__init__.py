"""`audit demo`: what a newcomer sees first."""

from audit_deploy.demo.command import demo

__all__ = ["demo"]
