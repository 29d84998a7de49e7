// ZIPTests
