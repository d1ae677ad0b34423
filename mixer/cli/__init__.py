"""The mixer on the command line: files, speakers and terminals round `mixer.studio`."""
