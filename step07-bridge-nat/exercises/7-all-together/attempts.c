// SPDX-License-Identifier: MIT
/*
 * attempts - for check.sh: try what root in a Docker container cannot do, and
 * print "NAME done" or "NAME refused" for each
 *
 * Nothing here changes the host: all that could be written is in namespaces of
 * the container, or has bad arguments.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define X32_BIT 0x40000000

static void print(const char *name, int done)
{
	printf("%s %s\n", name, done ? "done" : "refused");
}

/* Of a system call that has to fail with ERROR, so that a program can go on */
static void print_call(const char *name, long result, int error)
{
	if (result == -1 && errno != error)
		printf("%s failed by another error: %s\n", name,
		       strerror(errno));
	else
		print(name, result != -1);
}

static int can_read(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int done = fd != -1 && read(fd, &byte, 1) == 1;

	close(fd);
	return done;
}

/* The same value again */
static int can_write_setting(const char *path)
{
	char value[64];
	int fd = open(path, O_RDWR | O_CLOEXEC);
	ssize_t size = fd == -1 ? -1 : read(fd, value, sizeof(value));
	int done = size > 0 && pwrite(fd, value, (size_t)size, 0) == size;

	close(fd);
	return done;
}

/* Of the first SCSI disk: whether the host has one does not matter */
static int can_make_device(void)
{
	return mknod("/device", S_IFBLK | 0600, 8 << 8) == 0;
}

/* Writes nothing: this file would restart the machine. */
static int can_open_for_writing(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	close(fd);
	return fd != -1;
}

/* The key and the keyring disappear with the process. */
static void use_keys(void)
{
	print_call("keyring",
		   syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
			   KEY_SPEC_SESSION_KEYRING, 0),
		   EPERM);
	print_call("add-key",
		   syscall(SYS_add_key, "user", "attempt", "", 1,
			   KEY_SPEC_PROCESS_KEYRING),
		   EPERM);
	print_call("request-key",
		   syscall(SYS_request_key, "user", "attempt", NULL, 0), EPERM);
}

/* Each in a process of its own: the next one is not in the new namespace. */
static void create_user_namespaces(void)
{
	struct clone_args args = {.flags = CLONE_NEWUSER,
				  .exit_signal = SIGCHLD};
	long pid = fork();

	if (pid == 0) {
		print_call("user-namespace",
			   unshare(CLONE_NEWUSER | CLONE_NEWUTS), EPERM);
		_exit(0);
	}
	wait(NULL);
	pid = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWUTS | SIGCHLD, 0, 0,
		      0, 0);
	if (pid == 0)
		_exit(0);
	print_call("clone-namespace", pid, EPERM);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(0);
	print_call("clone3-namespace", pid, ENOSYS);
	while (wait(NULL) != -1)
		continue;
}

#ifdef __x86_64__
/* With the argument 0. 310 is unshare, 64 is getppid: a filter that looks at the
 * number alone finds neither. */
static void call_i386(const char *name, long number)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(0L)
			 : "memory");
	errno = result < 0 ? (int)-result : 0;
	print_call(name, result < 0 ? -1 : 0, EPERM);
}
#endif

/* The kernel checks the capability, and then has nothing to change. */
static int can_change_links(void)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = {.header = {.nlmsg_len = sizeof(request),
				.nlmsg_type = RTM_NEWLINK,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
		     .link = {.ifi_index = 1}};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr ack;
		char rest[1024];
	} reply;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	send(fd, &request, sizeof(request), 0);
	return recv(fd, &reply, sizeof(reply), 0) > 0 && reply.ack.error == 0;
}

int main(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	setlinebuf(stdout); /* before fork() */
#ifdef __x86_64__
	if (argc > 1) {
		call_i386("unshare-i386", 310);
		call_i386("getppid-i386", 64);
		return 0;
	}
#endif
	print("mount", mount("tmpfs", "/mnt", "tmpfs", 0, NULL) == 0);
	print("hostname", sethostname("taken", 5) == 0);
	print("change-links", can_change_links());
	print("write-settings",
	      can_write_setting("/proc/sys/net/ipv4/ip_default_ttl"));
	print("write-sysrq-trigger",
	      can_open_for_writing("/proc/sysrq-trigger"));
	print("write-irq",
	      can_open_for_writing("/proc/irq/default_smp_affinity"));
	print("read-keys", can_read("/proc/keys"));
	print("read-kcore", can_read("/proc/kcore"));
	print("read-interrupts", can_read("/proc/interrupts"));
	print("read-timer_list", can_read("/proc/timer_list"));
	use_keys();
	create_user_namespaces();
#ifdef __x86_64__
	print_call("unshare-x32", syscall(X32_BIT | SYS_unshare, 0), EPERM);
	print_call("getppid-x32", syscall(X32_BIT | SYS_getppid), EPERM);
#endif
	print("device", can_make_device());
	print("priority", setpriority(PRIO_PROCESS, 0, -1) == 0);
	return 0;
}
