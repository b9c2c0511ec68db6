"""The services of the workspace: a file each, named as its attribute of `WorkspaceClient`."""
