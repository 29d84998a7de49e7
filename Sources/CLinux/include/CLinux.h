// What Swift's Glibc module lacks or cannot import, as small C functions. Each returns 0 (or a descriptor) or -1 with errno set.
#pragma once
#include <stdint.h>
#include <stddef.h>
#include <sys/types.h>

/// Takes an open-file-description write lock on one byte of `fd` without waiting (fcntl(2), F_OFD_SETLK).
/// The kernel releases it when the last descriptor of the open file description is closed.
int clinux_lock_byte(int fd, int64_t offset);
/// Releases the lock of one byte.
int clinux_unlock_byte(int fd, int64_t offset);
/// 1 when another open file description holds a lock on the byte, 0 when nobody does (F_OFD_GETLK).
int clinux_byte_is_locked(int fd, int64_t offset);

/// eventfd(2), non-blocking and close-on-exec.
int clinux_eventfd(void);
/// The peer's uid on a Unix socket (SO_PEERCRED, unix(7)).
int clinux_peer_uid(int fd, uid_t *uid);
/// accept4(2) with SOCK_CLOEXEC.
int clinux_accept(int fd);
/// Frees the reserved blocks of a file or reserves them (posix_fallocate returns the error; here it is put in errno).
int clinux_reserve(int fd, int64_t length);
/// Starts to write a range of a file to the medium without waiting (sync_file_range(2)).
int clinux_begin_write_back(int fd, int64_t offset, int64_t count);
/// Finds the next piece of a file behind `offset` that is no hole (lseek(2), SEEK_DATA): 1 with its beginning and end, 0 if
/// there is none, -1 with errno.
int clinux_next_data(int fd, int64_t offset, int64_t *begin, int64_t *end);
/// Lets the reads and writes of a file go past the page cache, or through it again (open(2), O_DIRECT).
int clinux_set_direct(int fd, int is_direct);
/// Waits until everything on the file system of `fd` is on the medium (syncfs(2)).
int clinux_sync_file_system(int fd);
/// Makes SO_KEEPALIVE, TCP_USER_TIMEOUT and TCP_NODELAY fit for a field link (tcp(7)); the times are in seconds.
int clinux_tune_tcp(int fd, int idle, int interval, int count, int user_timeout_ms);

/// Spawns `path` in a session of its own, in `directory` (NULL to stay): stdin from `in` (-1 for /dev/null), stdout to
/// `out`, stderr to `err`, descriptor 3 = `ready` (-1 for none), every other descriptor closed, signals reset. The new pid,
/// or -1 with errno.
pid_t clinux_spawn_detached(const char *path, char *const argv[], char *const envp[], const char *directory, int in,
                            int out, int err, int ready);
/// Waits up to a time for a child to end (pidfd_open(2)) and reaps it: 1 with its status, 0 if it goes on, -1 with errno.
int clinux_wait_child(pid_t pid, int timeout_ms, int *status);
/// A nameless file in memory, close-on-exec (memfd_create(2)).
int clinux_memory_file(void);
/// Lets all threads share so many malloc arenas (mallopt(3), M_ARENA_MAX).
void clinux_share_malloc_arenas(int count);

/// The last component of this process's executable, resolved: readlink("/proc/self/exe").
ssize_t clinux_executable_path(char *buffer, size_t size);

/// 1 when the kernel's clock is disciplined by a time source, 0 when not (adjtimex(2), STA_UNSYNC).
int clinux_clock_is_synchronised(void);
