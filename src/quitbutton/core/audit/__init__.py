"""The rules of the audit trail: leaves, trees, signed notes, exports."""
