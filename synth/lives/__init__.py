"""Children's lives: who becomes known, what plans and registrations they have, and what happens in care."""
