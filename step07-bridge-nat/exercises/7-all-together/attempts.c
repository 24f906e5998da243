// SPDX-License-Identifier: MIT
/*
 * attempts - for check.sh: try what root in a Docker container cannot do, and
 * print "NAME done" or "NAME refused" for each
 *
 * Nothing here changes the host: all that could be written is in namespaces of
 * the container, or has bad arguments.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void print(const char *name, int done)
{
	printf("%s %s\n", name, done ? "done" : "refused");
	fflush(stdout);
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

static int can_create_user_namespace(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) == -1);
	waitpid(pid, &status, 0);
	return status == 0;
}

static int can_clone_user_namespace(void)
{
	int status;
	pid_t pid =
		(pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, &status, 0) == pid;
}

#ifdef __x86_64__
/* unshare(0) of i386: a filter that looks at the number alone finds no unshare */
static int can_unshare_i386(void)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(310L), "b"(0L)
			 : "memory");
	return result == 0;
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
	(void)argv;
#ifdef __x86_64__
	if (argc > 1) {
		print("unshare-i386", can_unshare_i386());
		return 0;
	}
#endif
	print("mount", mount("tmpfs", "/mnt", "tmpfs", 0, NULL) == 0);
	print("hostname", sethostname("taken", 5) == 0);
	print("change-links", can_change_links());
	print("write-settings",
	      can_write_setting("/proc/sys/net/ipv4/ip_default_ttl"));
	print("read-keys", can_read("/proc/keys"));
	print("read-interrupts", can_read("/proc/interrupts"));
	print("keyring", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID,
				 KEY_SPEC_SESSION_KEYRING, 0) != -1);
	print("user-namespace", can_create_user_namespace());
	print("clone-namespace", can_clone_user_namespace());
	print("device", can_make_device());
	print("priority", setpriority(PRIO_PROCESS, 0, -1) == 0);
	return 0;
}
