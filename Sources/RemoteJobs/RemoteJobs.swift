// RemoteJobs
