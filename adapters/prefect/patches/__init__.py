"""What leans on the inside of Prefect, for the server and for the processes of our worker: `docs/patches.md` lists it."""
