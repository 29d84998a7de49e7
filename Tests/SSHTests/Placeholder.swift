// SSHTests
