// RemoteJobsTests
