// The tests of the command line stand here.
