-- Feedback is erased by what it is about.
CREATE INDEX feedback_about ON feedback (about);
