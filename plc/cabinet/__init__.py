"""The virtual cabinet: what a real one does in the street, built without a line of the guard's."""
