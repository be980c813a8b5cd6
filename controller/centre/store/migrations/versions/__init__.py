"""One step per version of the schema, named after it. A step that was released is never changed."""
