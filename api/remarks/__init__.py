"""What people add to a ticket: comments, work notes, photos and documents."""
