"""Find, load and check a dataset; read its images; keep their pixels; fetch the record."""
