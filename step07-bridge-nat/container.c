// SPDX-License-Identifier: MIT
/*
 * Step 07: many containers on one bridge, each with an address of its own, and
 * the internet, behind the host's address.
 *
 * New: a bridge and leases on it, forwarding, nf_tables: common/nftables.h.
 *
 *	$ sudo ./container ../rootfs/tiny-linux
 *	/ # wget -qO- http://example.com
 *	<!doctype html>...
 *
 * Read: ip-link(8) (bridge), ip-sysctl.rst (kernel), nft(8), resolv.conf(5)
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/magic.h>
#include <linux/rtnetlink.h>
#include <linux/utsname.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "error.h"
#include "netlink.h"
#include "nftables.h"

/* mount(2) takes a page of options: 200 times "/proc/self/fd/123:" fits. */
#define MAX_LAYERS 200

struct options {
	char *layers[MAX_LAYERS]; /* topmost first */
	int layer_count;
	char *writable; /* -w: the directory, or NULL for a tmpfs */
	char **command; /* ends with NULL, as execv(3) wants it */
	const char *hostname;
	bool user; /* -U: in a user namespace, without root */
	const char *bridge, *subnet_name; /* as in "10.200.0.0/24" */
	struct in_addr subnet, gateway;	  /* the bridge's; big-endian */
	unsigned int prefix;		  /* the subnet's, in bits */
	bool clean_host;
};

static const char usage[] =
	"Usage: container [OPTIONS] ROOTFS [COMMAND [ARG...]]\n"
	"Run COMMAND (/bin/sh) in a container whose root is ROOTFS.\n"
	"ROOTFS is LAYER[:LAYER...], topmost first ('\\:': a colon in a "
	"name).\n"
	"Layers stay as they are; what is written goes with the container.\n"
	"\n"
	"  -H, --hostname NAME  the host name inside (container)\n"
	"  -U, --user           root inside is you outside: needs no sudo\n"
	"  -w, --writable DIR   keep what is written in DIR/upper\n"
	"  -b, --bridge NAME    the bridge to be plugged in to (cbr0)\n"
	"  -s, --subnet CIDR    the bridge's subnet (10.200.0.0/24)\n"
	"      --clean-host     remove what killed launchers left; no ROOTFS\n"
	"  -v, --verbose        print the shell commands that do the same\n"
	"  -h, --help           print this help\n"
	"      --version        print the version\n"
	"\n"
	"Example: sudo ./container -v ../rootfs/tiny-linux ls -l /\n"
	"'make rootfs' makes that directory. The exit status is COMMAND's;\n"
	"128+n: signal n ended it; 127: not found; 126: cannot run;\n"
	"125: the container could not be made.\n";

static const struct option longopts[] = {
	{"hostname", required_argument, NULL, 'H'},
	{"user", no_argument, NULL, 'U'},
	{"writable", required_argument, NULL, 'w'},
	{"bridge", required_argument, NULL, 'b'},
	{"subnet", required_argument, NULL, 's'},
	{"clean-host", no_argument, NULL, 'C'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static bool is_hostname(const char *name)
{
	static const char valid[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-.";
	size_t length = strlen(name);

	return length > 0 && length <= __NEW_UTS_LEN && *name != '-' &&
	       strspn(name, valid) == length;
}

static void split_layers(struct options *options, char *list)
{
	char *to = list;

	options->layers[options->layer_count++] = to;
	for (char *from = list; *from != '\0'; from++) {
		if (*from == ':') {
			if (options->layer_count == MAX_LAYERS)
				diex("more than %d layers", MAX_LAYERS);
			*to++ = '\0';
			options->layers[options->layer_count++] = to;
			continue;
		}
		if (from[0] == '\\' && from[1] == ':')
			from++;
		*to++ = *from;
	}
	*to = '\0';
}

static uint32_t netmask(unsigned int prefix)
{
	return prefix == 0 ? 0 : ~0U << (32 - prefix);
}

/* Cables are named after it, "cbr0-254", and so is the table of rules. What is
 * called like a word of nft's language, ip6 say, nft(8) cannot read back. */
static void check_bridge_name(const char *name, unsigned int prefix)
{
	int room = IFNAMSIZ - 1 - snprintf(NULL, 0, "-%u", ~netmask(prefix));

	if (fnmatch("[A-Za-z]*", name, 0) != 0 ||
	    fnmatch("*br[0-9]*", name, 0) != 0 ||
	    fnmatch("*[!A-Za-z0-9_.-]*", name, 0) == 0)
		diex("--bridge '%s': a letter, then letters, digits, '_', '-', "
		     "'.', among them br and a digit, as in cbr0",
		     name);
	if ((int)strlen(name) > room)
		diex("--bridge '%s': has more than %d letters", name, room);
}

static void parse_network(struct options *options)
{
	const char *cidr = options->subnet_name;
	char address[16], prefix[3], more;
	uint32_t bits;

	if (sscanf(cidr, "%15[0-9.]/%2[0-9]%c", address, prefix, &more) != 2 ||
	    inet_pton(AF_INET, address, &options->subnet) != 1)
		diex("--subnet '%s': not like 10.200.0.0/24", cidr);
	options->prefix = (unsigned int)atoi(prefix);
	if (options->prefix < 16 || options->prefix > 29)
		diex("--subnet '%s': the prefix can be 16 to 29", cidr);
	bits = ntohl(options->subnet.s_addr);
	if ((bits & ~netmask(options->prefix)) != 0)
		diex("--subnet '%s': has bits set after the prefix", cidr);
	if (bits >> 24 == 0 || bits >> 24 == 127 || bits >> 24 >= 224)
		diex("--subnet '%s': not a subnet of hosts", cidr);
	options->gateway.s_addr = htonl(bits + 1);
}

static void read_options(int argc, char *argv[], struct options *options)
{
	opterr = 0;
	for (;;) {
		const char *word = argv[optind];

		switch (getopt_long(argc, argv, "+H:Uw:b:s:vh", longopts,
				    NULL)) {
		case -1:
			return;
		case 'H':
			options->hostname = optarg;
			break;
		case 'U':
			options->user = true;
			break;
		case 'w':
			options->writable = optarg;
			break;
		case 'b':
			options->bridge = optarg;
			break;
		case 's':
			options->subnet_name = optarg;
			break;
		case 'C':
			options->clean_host = true;
			break;
		case 'v':
			trace_on();
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_SUCCESS);
		case 'V':
			puts("containers-from-scratch 1.0");
			exit(EXIT_SUCCESS);
		default:
			diex("%s: not an option, or not complete: see --help",
			     word);
		}
	}
}

static void parse_options(int argc, char *argv[], struct options *options)
{
	static char shell[] = "/bin/sh", *shell_command[] = {shell, NULL};

	*options = (struct options){
		.hostname = "container",
		.bridge = "cbr0",
		.subnet_name = "10.200.0.0/24",
	};
	read_options(argc, argv, options);
	if (!is_hostname(options->hostname))
		diex("--hostname '%s': 1 to %d letters, digits, '-' and '.'",
		     options->hostname, __NEW_UTS_LEN);
	parse_network(options);
	check_bridge_name(options->bridge, options->prefix);
	if (options->clean_host)
		return;
	if (optind == argc)
		diex("which ROOTFS? See --help");
	split_layers(options, argv[optind++]);
	options->command = optind < argc ? argv + optind : shell_command;
}

/* Whoever closed stdin made its number free for the next open(), and the
 * command would read from that. */
static void fill_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd == -1)
		die("open /dev/null");
	close(fd);
}

/* From here on signals wait until sigwait() takes them: none can end the
 * launcher before it has seen to the container. */
static void block_signals(sigset_t *signals)
{
	sigfillset(signals);
	if (sigprocmask(SIG_SETMASK, signals, NULL) == -1)
		die("sigprocmask");
	/* Where the caller ignores it, waitpid() gets no status. */
	signal(SIGCHLD, SIG_DFL);
}

/* Returns the path from the root on and without symbolic links. */
static char *resolve(const char *what, const char *directory)
{
	char *path = realpath(directory, NULL);
	int fd = -1;

	if (path != NULL)
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (path == NULL || fd == -1)
		die("%s '%s'", what, directory);
	if (strcmp(path, "/") == 0)
		diex("%s '%s' is the host's own root", what, directory);
	close(fd);
	return path;
}

static bool is_inside(const char *inner, const char *outer)
{
	size_t length = strlen(outer);

	return strncmp(inner, outer, length) == 0 &&
	       (inner[length] == '/' || inner[length] == '\0');
}

/* What the kernel refuses with a bare ELOOP. */
static void refuse_overlap(const char *one, char *const others[], int count)
{
	for (int i = 0; i < count; i++)
		if (is_inside(one, others[i]) || is_inside(others[i], one))
			diex("layers '%s' and '%s' overlap", one, others[i]);
}

/* Two overlays with one upper layer would ruin it, and the kernel only logs
 * that. The lock goes with the launcher, however it ends. */
static void lock_writable(struct options *options)
{
	struct statfs file_system;
	int fd;

	options->writable = resolve("--writable", options->writable);
	refuse_overlap(options->writable, options->layers,
		       options->layer_count);
	fd = open(options->writable, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || fstatfs(fd, &file_system) == -1 ||
	    access(options->writable, W_OK) == -1)
		die("--writable '%s'", options->writable);
	if (file_system.f_type == OVERLAYFS_SUPER_MAGIC)
		diex("--writable '%s' is on an overlay, which can carry no "
		     "other: take a disk or a tmpfs",
		     options->writable);
	if (flock(fd, LOCK_EX | LOCK_NB) == -1)
		die("--writable '%s' (has another container got it?)",
		    options->writable);
}

static void resolve_layers(struct options *options)
{
	for (int i = 0; i < options->layer_count; i++) {
		options->layers[i] = resolve("layer", options->layers[i]);
		refuse_overlap(options->layers[i], options->layers, i);
	}
	if (options->writable != NULL)
		lock_writable(options);
}

/* What distributions and administrators turn user namespaces off with. */
static const char userns_hint[] =
	"see sysctl kernel.apparmor_restrict_unprivileged_userns, "
	"kernel.unprivileged_userns_clone, user.max_user_namespaces, "
	"or use sudo without -U";

static void write_map(const char *file, const char *map)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd == -1 || write(fd, map, strlen(map)) == -1)
		die("write '%s' to %s (%s)", map, file, userns_hint);
	close(fd);
}

/* Root inside has every capability, but only over what the new user namespace
 * owns: the namespaces that are made after it, in it. */
static void enter_user_namespace(void)
{
	char uid_map[32], gid_map[32];

	snprintf(uid_map, sizeof(uid_map), "0 %u 1", geteuid());
	snprintf(gid_map, sizeof(gid_map), "0 %u 1", getegid());
	trace("unshare --user --map-root-user");
	if (unshare(CLONE_NEWUSER) == -1)
		die("unshare CLONE_NEWUSER (%s)", userns_hint);
	/* First: who can drop a group gets into what denies that group. */
	write_map("/proc/self/setgroups", "deny");
	write_map("/proc/self/uid_map", uid_map);
	write_map("/proc/self/gid_map", gid_map);
}

/* Not for this process, whose PID stays what it is: for its next child. */
static void new_pid_namespace(void)
{
	trace("unshare --pid --fork --kill-child");
	if (unshare(CLONE_NEWPID) == -1)
		die("unshare CLONE_NEWPID");
}

static void open_lifeline(int lifeline[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lifeline) == -1)
		die("socketpair");
}

/* PID 1 ends with the launcher, and the kernel ends the rest with PID 1. (A
 * PID 1 that changes its user sheds this signal: prctl(2).) */
static void end_with_launcher(const int lifeline[2])
{
	struct pollfd launcher = {.fd = lifeline[1]};

	close(lifeline[0]);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		die("prctl PR_SET_PDEATHSIG");
	/* A launcher that died before that sends no signal. But it closed its
	 * end of the socket pair, the only one now, still earlier. (getppid()
	 * does not tell: it is 0 for a parent outside the namespace.) */
	if (poll(&launcher, 1, 0) != 0)
		exit(EXIT_LAUNCHER);
}

static void enter_namespaces(void)
{
	trace("unshare --mount --uts --ipc --net --cgroup");
	if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET |
		    CLONE_NEWCGROUP) == -1)
		die("unshare");
}

/* The new mount namespace is a copy whose mounts are still tied to the host's:
 * what is mounted below a shared one appears there too. */
static void keep_mounts_private(void)
{
	trace("mount --make-rprivate /");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		die("mount --make-rprivate /");
}

static void set_hostname(const char *name)
{
	trace("hostname %s", name);
	if (sethostname(name, strlen(name)) == -1)
		die("sethostname %s", name);
}

static void go_to(const char *directory)
{
	trace("cd %s", directory);
	if (chdir(directory) == -1)
		die("chdir %s", directory);
}

static void make_directory(const char *name)
{
	char *here = get_current_dir_name();

	if (mkdir(name, 0755) == -1 && errno != EEXIST)
		die("mkdir %s in '%s'", name, here);
	free(here);
}

/* Layers go by file descriptor: the kernel has no name to look up that a mount
 * hides by now, and none to misread for the ':' or ',' in it. It wants mounts
 * of this namespace, so the launcher cannot open them. */
static void open_layers(const struct options *options, int fds[])
{
	for (int i = 0; i < options->layer_count; i++) {
		fds[i] = open(options->layers[i], O_PATH | O_CLOEXEC);
		if (fds[i] == -1)
			die("layer '%s'", options->layers[i]);
	}
}

static void put_escaped(const char *path, FILE *stream)
{
	for (; *path != '\0'; path++) {
		if (strchr(":,\\", *path) != NULL)
			fputc('\\', stream);
		fputc(*path, stream);
	}
}

/* Returns what mount(8) takes as options, or, given FDS, what mount(2) gets:
 * a string to be freed. */
static char *overlay_options(const struct options *options, const int *fds)
{
	char *text;
	size_t length;
	FILE *stream = open_memstream(&text, &length);

	if (stream == NULL)
		die("open_memstream");
	for (int i = 0; i < options->layer_count; i++) {
		fputs(i == 0 ? "lowerdir=" : ":", stream);
		if (fds != NULL)
			fprintf(stream, "/proc/self/fd/%d", fds[i]);
		else
			put_escaped(options->layers[i], stream);
	}
	fputs(",upperdir=upper,workdir=work", stream);
	/* overlayfs notes what is gone in trusted.* attributes, which only the
	 * host's root may set; where we may not, in user.* ones. */
	if (setxattr("/tmp", "trusted.container", "", 0, 0) == -1 &&
	    errno == EPERM)
		fputs(",userxattr", stream);
	if (fclose(stream) == EOF)
		die("open_memstream");
	return text;
}

/* The kernel does not say which layer it refuses. So the first is tried, then
 * the first two, and so on: the one that makes it fail is to blame. */
static void die_of_layer(const struct options *options, const int fds[])
{
	char data[MAX_LAYERS * 20] = "lowerdir=";
	size_t length = strlen(data);
	int error = errno;

	if (error == ENODEV)
		die("mount overlay (not in this kernel: try modprobe overlay)");
	for (int i = 0; i < options->layer_count; i++) {
		length += (size_t)snprintf(data + length, 20,
					   "/proc/self/fd/%d:", fds[i]);
		snprintf(data + length, 20, "/tmp"); /* it takes two at least */
		if (mount("overlay", "/tmp/merged", "overlay", MS_RDONLY,
			  data) == -1)
			die("layer '%s' cannot be in this overlay (dmesg may "
			    "say why)",
			    options->layers[i]);
		umount("/tmp/merged");
	}
	errno = error;
	die("'%s' cannot hold an upper layer (dmesg may say why)",
	    options->writable == NULL ? "/tmp" : options->writable);
}

/* The upper layer, and the directory that overlayfs works in, lie in DIR of -w
 * or in a tmpfs that nobody else sees and that goes with the namespace. */
static void mount_overlay(const struct options *options)
{
	int fds[MAX_LAYERS];
	char *data, *shown;

	umask(022);
	open_layers(options, fds);
	if (options->writable != NULL)
		go_to(options->writable);
	trace("mount -t tmpfs -o mode=0755 tmpfs /tmp");
	if (mount("tmpfs", "/tmp", "tmpfs", 0, "mode=0755") == -1)
		die("mount tmpfs on /tmp");
	if (options->writable == NULL)
		go_to("/tmp");
	trace("mkdir -p upper work /tmp/merged");
	make_directory("upper");
	make_directory("work");
	make_directory("/tmp/merged");
	data = overlay_options(options, fds);
	shown = overlay_options(options, NULL);
	trace("mount -t overlay overlay -o %s /tmp/merged", shown);
	if (mount("overlay", "/tmp/merged", "overlay", 0, data) == -1)
		die_of_layer(options, fds);
	free(data);
	free(shown);
	go_to("/tmp/merged");
}

/* mount(2) would follow a symbolic link, even out of ROOTFS. */
static void check_mount_point(const char *name)
{
	struct stat point;

	make_directory(name);
	if (lstat(name, &point) == -1)
		die("mount /%s (mkdir it in ROOTFS)", name);
	if (!S_ISDIR(point.st_mode))
		diex("mount /%s: in ROOTFS it is not a directory", name);
}

static void bind_device(const char *name)
{
	char host[32];
	const char *here = host + 1; /* without the slash: below ROOTFS */
	int fd;

	snprintf(host, sizeof(host), "/dev/%s", name);
	trace("touch %s && mount --bind %s %s", here, host, here);
	fd = open(here, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd == -1 || mount(host, here, NULL, MS_BIND, NULL) == -1)
		die("mount --bind %s", host);
	close(fd);
}

static void link_device(const char *target, const char *name)
{
	trace("ln -s %s %s", target, name);
	if (symlink(target, name) == -1)
		die("symlink /%s", name);
}

/* The devices that every program counts on are the host's: a user namespace
 * may not make any. The terminals in dev/pts are the container's own. */
static void mount_dev(void)
{
	static const char *const devices[] = {"null",	"zero",	   "full",
					      "random", "urandom", "tty"};

	check_mount_point("dev");
	trace("mount -t tmpfs -o nosuid,noexec,mode=0755 tmpfs dev");
	if (mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC,
		  "mode=0755") == -1)
		die("mount /dev");
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		bind_device(devices[i]);
	trace("mkdir dev/pts dev/shm");
	make_directory("dev/pts");
	make_directory("dev/shm");
	trace("mount -t devpts -o nosuid,noexec,ptmxmode=0666 devpts dev/pts");
	if (mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		  "newinstance,ptmxmode=0666") == -1)
		die("mount /dev/pts");
	trace("mount -t tmpfs -o nosuid,nodev,noexec tmpfs dev/shm");
	if (mount("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL) == -1)
		die("mount /dev/shm");
	link_device("pts/ptmx", "dev/ptmx");
	link_device("/proc/self/fd", "dev/fd");
	link_device("fd/0", "dev/stdin");
	link_device("fd/1", "dev/stdout");
	link_device("fd/2", "dev/stderr");
}

/* The host's /sys would show the host's network devices. */
static void mount_sys(void)
{
	check_mount_point("sys");
	trace("mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys");
	if (mount("sysfs", "sys", "sysfs",
		  MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == -1)
		die("mount /sys");
}

static void mount_proc(void)
{
	check_mount_point("proc");
	trace("mount -t proc -o nosuid,nodev,noexec proc proc");
	if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL) == -1)
		die("mount /proc");
}

/* chroot(2) only moves a process's idea of "/". This makes the overlay the
 * namespace's root mount and stacks the old one on top of it, from where it is
 * taken off: there is nothing left to climb out to. */
static void enter_root(void)
{
	trace("pivot_root . .");
	if (syscall(SYS_pivot_root, ".", ".") == -1)
		die("pivot_root");
	trace("umount -l .");
	if (umount2(".", MNT_DETACH) == -1)
		die("umount the old root");
	go_to("/");
}

/* Docker's way to make one: it changes only with the address, so what others
 * remember of that address stays true. */
struct mac {
	unsigned char bytes[6];
	char text[18];
};

static struct mac make_mac(struct in_addr address, unsigned char first)
{
	struct mac mac = {.bytes = {first, 0x42}};
	const unsigned char *b = mac.bytes;

	memcpy(mac.bytes + 2, &address, sizeof(address));
	snprintf(mac.text, sizeof(mac.text), "%02x:%02x:%02x:%02x:%02x:%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5]);
	return mac;
}

#define ALIAS_SIZE 256 /* the kernel's IFALIASZ */

struct link {
	int index; /* 0: there is no such link */
	uint32_t mtu;
	bool up;
	unsigned char mac[6];
	char name[IFNAMSIZ], alias[ALIAS_SIZE];
};

static struct link read_link(const struct ifinfomsg *message,
			     struct nl_bytes attrs)
{
	struct link link = {.index = message->ifi_index};
	struct nl_bytes mac = nl_attr(attrs, IFLA_ADDRESS);

	if (mac.length == sizeof(link.mac))
		memcpy(link.mac, mac.data, sizeof(link.mac));
	link.mtu = nl_get_u32(nl_attr(attrs, IFLA_MTU));
	link.up = (message->ifi_flags & IFF_UP) != 0;
	snprintf(link.name, sizeof(link.name), "%s",
		 nl_get_str(nl_attr(attrs, IFLA_IFNAME)));
	snprintf(link.alias, sizeof(link.alias), "%s",
		 nl_get_str(nl_attr(attrs, IFLA_IFALIAS)));
	return link;
}

static struct link get_link(struct netlink *nl, const char *name)
{
	struct link link = {0};
	const struct ifinfomsg *message;

	nl_begin(nl, RTM_GETLINK, 0);
	nl_reserve(nl, sizeof(*message));
	nl_put_str(nl, IFLA_IFNAME, name);
	while ((message = nl_next(nl, sizeof(*message))) != NULL)
		link = read_link(message, nl->attrs);
	if (nl->error != -ENODEV)
		nl_done(nl, "ip link show %s", name);
	return link;
}

static bool add_address(struct netlink *nl, const char *link,
			struct in_addr address, unsigned int prefix)
{
	int index = get_link(nl, link).index;
	struct ifaddrmsg *message;

	if (index == 0)
		return false;
	trace("ip addr add %s/%u dev %s", inet_ntoa(address), prefix, link);
	nl_begin(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	message = nl_reserve(nl, sizeof(*message));
	message->ifa_family = AF_INET;
	message->ifa_prefixlen = (unsigned char)prefix;
	message->ifa_index = (unsigned int)index;
	nl_put(nl, IFA_LOCAL, &address, sizeof(address));
	nl_put(nl, IFA_ADDRESS, &address, sizeof(address));
	return nl_done(nl, "ip addr add %s dev %s", inet_ntoa(address), link);
}

static bool set_up(struct netlink *nl, const char *link)
{
	struct ifinfomsg *message;

	trace("ip link set %s up", link);
	nl_begin(nl, RTM_NEWLINK, 0);
	message = nl_reserve(nl, sizeof(*message));
	message->ifi_flags = message->ifi_change = IFF_UP;
	nl_put_str(nl, IFLA_IFNAME, link);
	return nl_done(nl, "ip link set %s up", link);
}

static bool add_default_route(struct netlink *nl, struct in_addr gateway)
{
	struct rtmsg *message;

	trace("ip route add default via %s", inet_ntoa(gateway));
	nl_begin(nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
	message = nl_reserve(nl, sizeof(*message));
	message->rtm_family = AF_INET;
	message->rtm_table = RT_TABLE_MAIN;
	message->rtm_protocol = RTPROT_BOOT;
	message->rtm_type = RTN_UNICAST;
	nl_put(nl, RTA_GATEWAY, &gateway, sizeof(gateway));
	return nl_done(nl, "ip route add default via %s", inet_ntoa(gateway));
}

/* Launcher and container wait for a word from each other. Where one of them
 * ends before, it has said why; the other reads nothing, and ends too. */
static bool tell(int other, struct in_addr address)
{
	ssize_t n = write(other, &address, sizeof(address));

	if (n == -1 && errno != EPIPE)
		warn("write to the other side");
	return n == sizeof(address);
}

static bool hear(int other, struct in_addr *address)
{
	ssize_t n;

	do
		n = read(other, address, sizeof(*address));
	while (n == -1 && errno == EINTR);
	if (n == -1)
		warn("read from the other side");
	return n == sizeof(*address);
}

/* With both ends up, the kernel takes another moment to connect them, and drops
 * what is sent before. That is announced, as every change of a link is. */
static int open_news(void)
{
	const struct sockaddr_nl links = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK,
	};
	const struct timeval patience = {.tv_sec = 2};
	int news = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (news == -1 ||
	    bind(news, (const struct sockaddr *)&links, sizeof(links)) == -1 ||
	    setsockopt(news, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) == -1)
		die("listen to the news of rtnetlink");
	return news;
}

static void wait_for_carrier(int news)
{
	const unsigned char up = 6; /* IF_OPER_UP, of RFC 2863 */
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
		char attrs[8192];
	} message;
	struct nl_bytes state;

	do {
		/* Without news for two seconds: too late, but no failure. */
		if (recv(news, &message, sizeof(message), 0) == -1)
			break;
		state.data = message.attrs;
		state.length = (int)IFLA_PAYLOAD(&message.header);
		state = nl_attr(state, IFLA_OPERSTATE);
	} while (state.length != 1 || *(unsigned char *)state.data != up);
	close(news);
}

static void connect_network(const struct options *options, int launcher)
{
	int news = open_news();
	struct in_addr address = {0};
	struct netlink nl;

	/* All is there but the cable, and then it is plugged in. */
	if (!tell(launcher, address) || !hear(launcher, &address))
		exit(EXIT_LAUNCHER);
	nl_open(&nl, NETLINK_ROUTE);
	if (!set_up(&nl, "lo") ||
	    !add_address(&nl, "eth0", address, options->prefix) ||
	    !set_up(&nl, "eth0"))
		exit(EXIT_LAUNCHER);
	wait_for_carrier(news);
	if (!tell(launcher, address) || !hear(launcher, &address) ||
	    !add_default_route(&nl, options->gateway))
		exit(EXIT_LAUNCHER);
	close(nl.fd);
}

/* execvp(3) would look the command up too, but with the caller's PATH, and it
 * gives a program for another machine to /bin/sh. */
static void run_command(char *command[])
{
	char path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		      "/sbin:/bin";
	char file[PATH_MAX], *rest = path;
	const char *hint = "";
	int error = ENOENT;

	/* The command gets stdin, stdout and stderr, and no file that the
	 * launcher's caller left open: a directory would be a way out. */
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U,
		    CLOSE_RANGE_CLOEXEC) == -1)
		die("close_range");
	trace_exec(command);
	setenv("PATH", path, 1);
	if (*command[0] == '\0' || strchr(command[0], '/') != NULL) {
		execv(command[0], command);
	} else {
		/* A file that cannot run hides none in the next directory. */
		while (rest != NULL) {
			snprintf(file, sizeof(file), "%s/%s",
				 strsep(&rest, ":"), command[0]);
			execv(file, command);
			if (errno != ENOENT && errno != ENOTDIR)
				error = errno;
		}
		errno = error;
	}
	if (errno == ENOENT)
		hint = " (or the interpreter or loader that it names)";
	else if (errno == ENOEXEC)
		hint = " (a program for another machine?)";
	warn("exec %s%s", command[0], hint);
	exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE);
}

/* Whether the file names a resolver that the container can reach: one with an
 * IPv4 address, and not 127.0.0.53, for there the container is itself. */
static bool has_resolver(const char *resolv_conf)
{
	FILE *file = fopen(resolv_conf, "re");
	char line[1024], address[16];
	bool found = false;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "nameserver %15[0-9.]", address) == 1 &&
		    strncmp(address, "127.", 4) != 0)
			found = true;
	if (file != NULL)
		fclose(file);
	return found;
}

/* Into the upper layer: the image's own file stays as it is. */
static void write_resolv_conf(void)
{
	const char *source = "/etc/resolv.conf";
	int from, to;

	if (!has_resolver(source)) /* then it may be systemd-resolved's */
		source = "/run/systemd/resolve/resolv.conf";
	if (!has_resolver(source)) {
		warnx("/etc/resolv.conf names no resolver that the container "
		      "can reach: it will find no names");
		return;
	}
	check_mount_point("etc");
	trace("cp --remove-destination %s etc/resolv.conf", source);
	unlink("etc/resolv.conf");
	from = open(source, O_RDONLY | O_CLOEXEC);
	to = open("etc/resolv.conf", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		  0644);
	if (from == -1 || to == -1 || sendfile(to, from, NULL, 65536) == -1)
		warn("cp %s etc/resolv.conf (the container will find no names; "
		     "is ROOTFS another user's? Take a copy of it: cp -r)",
		     source);
	close(from);
	close(to);
}

static void container_main(const struct options *options,
			   const sigset_t *signals, const int lifeline[2])
{
	role = "container";
	end_with_launcher(lifeline);
	enter_namespaces();
	keep_mounts_private();
	set_hostname(options->hostname);
	mount_overlay(options);
	mount_dev();
	mount_sys();
	mount_proc();
	write_resolv_conf();
	enter_root();
	connect_network(options, lifeline[1]);
	sigprocmask(SIG_UNBLOCK, signals, NULL);
	run_command(options->command);
}

/* A route into our subnet would take the packets of one or the other. The
 * halves 0.0.0.0/1 and 128.0.0.0/1 are how a VPN outdoes the default route. */
static void refuse_overlap_with(const struct options *options,
				const struct rtmsg *route, struct in_addr to,
				const char *link)
{
	unsigned int prefix = route->rtm_dst_len;

	if (prefix > options->prefix)
		prefix = options->prefix;
	if (prefix > 1 &&
	    (ntohl(to.s_addr ^ options->subnet.s_addr) & netmask(prefix)) == 0)
		diex("the host routes %s/%d to %s already: take another "
		     "one by --subnet",
		     inet_ntoa(to), route->rtm_dst_len, link);
}

/* Where the default route leads: the container's packets leave by it, so what
 * is larger than its MTU would be dropped there. */
struct uplink {
	char name[IF_NAMESIZE]; /* "": there is none */
	uint32_t mtu;
};

/* Of several that share a route's load, the first. */
static unsigned int get_interface(struct nl_bytes route)
{
	struct nl_bytes hops = nl_attr(route, RTA_MULTIPATH);
	const struct rtnexthop *first = hops.data;

	if (hops.length >= (int)sizeof(*first))
		return (unsigned int)first->rtnh_ifindex;
	return nl_get_u32(nl_attr(route, RTA_OIF));
}

static struct uplink check_routes(struct netlink *nl,
				  const struct options *options)
{
	struct uplink uplink = {.mtu = 1500};
	const struct rtmsg *route;
	struct rtmsg *request;

	nl_begin(nl, RTM_GETROUTE, NLM_F_DUMP);
	request = nl_reserve(nl, sizeof(*request));
	request->rtm_family = AF_INET;
	while ((route = nl_next(nl, sizeof(*route))) != NULL) {
		struct in_addr to = {nl_get_u32(nl_attr(nl->attrs, RTA_DST))};
		char link[IF_NAMESIZE] = "nowhere";

		if (route->rtm_table == RT_TABLE_LOCAL)
			continue;
		if (if_indextoname(get_interface(nl->attrs), link) == NULL &&
		    errno != ENXIO)
			die("if_indextoname");
		if (route->rtm_dst_len == 0 && *uplink.name == '\0' &&
		    get_interface(nl->attrs) != 0 &&
		    route->rtm_table == RT_TABLE_MAIN &&
		    route->rtm_type == RTN_UNICAST)
			memcpy(uplink.name, link, sizeof(link));
		if (strcmp(link, options->bridge) != 0)
			refuse_overlap_with(options, route, to, link);
	}
	if (nl->error == -EINTR) /* they changed meanwhile */
		return check_routes(nl, options);
	if (!nl_done(nl, "ip route show"))
		exit(EXIT_LAUNCHER);
	if (*uplink.name != '\0')
		uplink.mtu = get_link(nl, uplink.name).mtu;
	if (nl->error == -ENODEV) /* and so did the uplink */
		return check_routes(nl, options);
	if (uplink.mtu == 0)
		exit(EXIT_LAUNCHER);
	return uplink;
}

static void put_link(struct netlink *nl, const char *name,
		     const struct mac *mac, uint32_t mtu)
{
	nl_put_str(nl, IFLA_IFNAME, name);
	nl_put(nl, IFLA_ADDRESS, mac->bytes, sizeof(mac->bytes));
	nl_put_u32(nl, IFLA_MTU, mtu);
}

static const char *link_hint(int error, const char *modprobe,
			     const struct options *options)
{
	if (error == -EOPNOTSUPP)
		return modprobe;
	if (error == -EXFULL)
		return " (a bridge has 1023 ports)";
	if (error == -EPERM && options->user)
		return " (-U is root inside only, and this end is the host's:"
		       " slirp4netns and pasta relay in user space instead)";
	return "";
}

static void remove_link(struct netlink *nl, const char *name, int index)
{
	struct ifinfomsg *message;

	trace("ip link del %s", name);
	nl_begin(nl, RTM_DELLINK, 0);
	message = nl_reserve(nl, sizeof(*message));
	message->ifi_index = index;
	if (nl_try(nl) != -ENODEV)
		nl_done(nl, "ip link del %s", name);
}

/* A bridge's alias marks it as ours. Its subnet follows, and then the links of
 * the host whose forwarding was off before: "... 10.200.0.0/24 eth0". */
#define MARK "containers-from-scratch "

static bool is_ours(const struct link *bridge)
{
	return strncmp(bridge->alias, MARK, strlen(MARK)) == 0;
}

static void put_alias(struct netlink *nl, const char *link, const char *alias)
{
	trace("ip link set %s alias %s", link, alias);
	nl_begin(nl, RTM_NEWLINK, 0);
	nl_reserve(nl, sizeof(struct ifinfomsg));
	nl_put_str(nl, IFLA_IFNAME, link);
	nl_put(nl, IFLA_IFALIAS, alias, strlen(alias));
}

static int open_forwarding(const char *link, int mode)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/forwarding",
		 link);
	return open(path, mode | O_CLOEXEC);
}

/* Whether the host passes on what comes in by LINK. Each link has a switch of
 * its own; "all", the article's ip_forward, sets every one. -1: unknown. */
static int is_forwarding(const char *link)
{
	int fd = open_forwarding(link, O_RDONLY);
	char value = '\0';

	if (fd == -1 || read(fd, &value, 1) != 1)
		warn("sysctl net/ipv4/conf/%s/forwarding", link);
	close(fd);
	return value == '\0' ? -1 : value == '1';
}

static bool set_forwarding(const char *link, bool on)
{
	bool done;
	int fd;

	trace("sysctl -w net/ipv4/conf/%s/forwarding=%d", link, on);
	fd = open_forwarding(link, O_WRONLY);
	done = fd != -1 && write(fd, on ? "1" : "0", 1) == 1;
	if (!done)
		warn("sysctl -w net/ipv4/conf/%s/forwarding=%d", link, on);
	close(fd);
	return done;
}

static void put_bridge_kind(struct netlink *nl)
{
	struct rtattr *info = nl_nest(nl, IFLA_LINKINFO);

	nl_put_str(nl, IFLA_INFO_KIND, "bridge");
	nl_nest_end(nl, info);
}

/* A bridge left to itself takes the MAC of one of its ports, and another when
 * that goes; those who know the first lose it for seconds. */
static bool make_bridge(struct netlink *nl, const struct options *options)
{
	const char *bridge = options->bridge;
	struct mac mac = make_mac(options->gateway, 0x02);
	char alias[ALIAS_SIZE];

	trace("ip link add %s address %s type bridge", bridge, mac.text);
	nl_begin(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	nl_reserve(nl, sizeof(struct ifinfomsg));
	nl_put_str(nl, IFLA_IFNAME, bridge);
	nl_put(nl, IFLA_ADDRESS, mac.bytes, sizeof(mac.bytes));
	put_bridge_kind(nl);
	/* In the same request: no kill comes between bridge and alias. */
	snprintf(alias, sizeof(alias), MARK "%s", options->subnet_name);
	put_alias(nl, bridge, alias);
	nl_try(nl);
	return nl_done(nl, "ip link add %s type bridge%s", bridge,
		       link_hint(nl->error, " (modprobe bridge)", options)) &&
	       add_address(nl, bridge, options->gateway, options->prefix) &&
	       set_forwarding(bridge, true);
}

static bool has_word(const char *text, const char *word)
{
	char spaced[ALIAS_SIZE + 2], wanted[ALIAS_SIZE + 2];

	snprintf(spaced, sizeof(spaced), " %s ", text);
	snprintf(wanted, sizeof(wanted), " %s ", word);
	return strstr(spaced, wanted) != NULL;
}

/* Bridges of ours are found one after the other: the one with the next larger
 * index, or 0. */
static struct link next_bridge(struct netlink *nl, int index)
{
	const struct ifinfomsg *message;
	struct link next = {0};

	nl_begin(nl, RTM_GETLINK, NLM_F_DUMP);
	nl_reserve(nl, sizeof(*message));
	put_bridge_kind(nl);
	while ((message = nl_next(nl, sizeof(*message))) != NULL) {
		struct link link = read_link(message, nl->attrs);

		if (is_ours(&link) && link.index > index &&
		    (next.index == 0 || link.index < next.index))
			next = link;
	}
	if (nl->error == -EINTR) /* they changed meanwhile */
		return next_bridge(nl, index);
	nl_done(nl, "ip link show type bridge");
	return next;
}

/* Whether another bridge of ours has noted LINK in its journal. */
static bool is_noted(struct netlink *nl, const char *link,
		     const struct link *bridge)
{
	struct link other = {0};

	while ((other = next_bridge(nl, other.index)).index != 0)
		if (other.index != bridge->index && has_word(other.alias, link))
			return true;
	return nl->error != 0;
}

/* The journal first, then the change: whoever reads the journal after a crash
 * may find too much in it, but never too little. */
static bool note_uplink(struct netlink *nl, const struct link *bridge,
			const char *uplink)
{
	char alias[ALIAS_SIZE + IFNAMSIZ];

	snprintf(alias, sizeof(alias), "%s %s", bridge->alias, uplink);
	put_alias(nl, bridge->name, alias);
	return nl_done(nl, "ip link set %s alias ... %s", bridge->name, uplink);
}

static bool forward_uplink(struct netlink *nl, const struct options *options,
			   const char *uplink)
{
	struct link bridge = get_link(nl, options->bridge);
	int on;

	if (*uplink == '\0') {
		warnx("the host has no IPv4 default route: the container "
		      "reaches the host and its siblings, nothing beyond");
		return true;
	}
	on = is_forwarding(uplink);
	if (bridge.index == 0 || on == -1)
		return false;
	if (on && !is_noted(nl, uplink, &bridge))
		return true;
	if (!has_word(bridge.alias, uplink) &&
	    !note_uplink(nl, &bridge, uplink))
		return false;
	return on || set_forwarding(uplink, true);
}

static void add_postrouting(struct netlink *nft, const struct options *options)
{
	const char *bridge = options->bridge;
	struct rtattr *rule;

	trace("nft add chain ip %s postrouting "
	      "'{ type nat hook postrouting priority srcnat; }'",
	      bridge);
	nft_add_chain(nft, bridge, "postrouting", "nat", NF_INET_POST_ROUTING,
		      NF_IP_PRI_NAT_SRC);
	trace("nft add rule ip %s postrouting ip saddr %s oifname != %s "
	      "masquerade",
	      bridge, options->subnet_name, bridge);
	rule = nft_add_rule(nft, bridge, "postrouting");
	nft_payload(nft, offsetof(struct iphdr, saddr));
	nft_bitwise(nft, htonl(netmask(options->prefix)));
	nft_cmp(nft, NFT_CMP_EQ, options->subnet.s_addr);
	nft_meta(nft, NFT_META_OIFNAME);
	nft_cmp_name(nft, NFT_CMP_NEQ, bridge);
	nft_masq(nft);
	nl_nest_end(nft, rule);
}

static void add_forward(struct netlink *nft, const struct options *options)
{
	const char *bridge = options->bridge;
	struct rtattr *rule;

	trace("nft add chain ip %s forward "
	      "'{ type filter hook forward priority filter; }'",
	      bridge);
	nft_add_chain(nft, bridge, "forward", "filter", NF_INET_FORWARD,
		      NF_IP_PRI_FILTER);
	trace("nft add rule ip %s forward iifname %s accept", bridge, bridge);
	rule = nft_add_rule(nft, bridge, "forward");
	nft_meta(nft, NFT_META_IIFNAME);
	nft_cmp_name(nft, NFT_CMP_EQ, bridge);
	nft_immediate(nft, NF_ACCEPT);
	nl_nest_end(nft, rule);
	trace("nft add rule ip %s forward oifname %s "
	      "ct state established,related accept",
	      bridge, bridge);
	rule = nft_add_rule(nft, bridge, "forward");
	nft_meta(nft, NFT_META_OIFNAME);
	nft_cmp_name(nft, NFT_CMP_EQ, bridge);
	nft_ct(nft, NFT_CT_STATE);
	nft_bitwise(nft, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) |
				 NF_CT_STATE_BIT(IP_CT_RELATED));
	nft_cmp(nft, NFT_CMP_NEQ, 0);
	nft_immediate(nft, NF_ACCEPT);
	nl_nest_end(nft, rule);
	trace("nft add rule ip %s forward oifname %s drop", bridge, bridge);
	rule = nft_add_rule(nft, bridge, "forward");
	nft_meta(nft, NFT_META_OIFNAME);
	nft_cmp_name(nft, NFT_CMP_EQ, bridge);
	nft_immediate(nft, NF_DROP);
	nl_nest_end(nft, rule);
}

/* An accept of ours does not keep Docker's chain from dropping. DOCKER-USER is
 * the place that Docker has for the rules of others. What comes in uncalled is
 * still dropped by our own chain. */
static void insert_for_docker(struct netlink *nft, const char *bridge,
			      uint32_t key, const char *word)
{
	struct rtattr *rule;

	trace("nft insert rule ip filter DOCKER-USER %s %s accept comment %s",
	      word, bridge, bridge);
	rule = nft_insert_rule(nft, "filter", "DOCKER-USER", bridge);
	nft_meta(nft, key);
	nft_cmp_name(nft, NFT_CMP_EQ, bridge);
	nft_immediate(nft, NF_ACCEPT);
	nl_nest_end(nft, rule);
}

/* What passes a bridge is none of the packet filter's business, unless this
 * module takes it there. Docker loads it. */
static void warn_of_br_netfilter(void)
{
	FILE *file =
		fopen("/proc/sys/net/bridge/bridge-nf-call-iptables", "re");

	if (file == NULL)
		return;
	if (fgetc(file) == '1')
		warnx("net.bridge.bridge-nf-call-iptables=1: what containers "
		      "send each other passes the host's forward chains, too");
	fclose(file);
}

static bool add_rules(struct netlink *nft, const struct options *options,
		      const char *uplink)
{
	const char *bridge = options->bridge;

	if (nft_find_table(nft, bridge) == -ENOENT) {
		nft_begin(nft);
		trace("nft add table ip %s", bridge);
		nft_add_table(nft, bridge);
		add_postrouting(nft, options);
		add_forward(nft, options);
		if (nft_commit(nft) == 0)
			warn_of_br_netfilter();
	}
	if (!nl_done(nft, "nft add table ip %s", bridge))
		return false;
	if (nft_find_chain(nft, "filter", "DOCKER-USER") == 0 &&
	    nft_find_rule(nft, "filter", "DOCKER-USER", bridge) == -ENOENT) {
		nft_begin(nft);
		insert_for_docker(nft, bridge, NFT_META_OIFNAME, "oifname");
		insert_for_docker(nft, bridge, NFT_META_IIFNAME, "iifname");
		nft_commit(nft);
	}
	if (nft->error != -ENOENT &&
	    !nl_done(nft, "nft insert rule ip filter DOCKER-USER"))
		return false;
	nft_warn_of_drops(nft, bridge, uplink);
	return nl_done(nft, "nft list ruleset");
}

static bool has_ports(struct netlink *nl, const struct link *bridge)
{
	bool found = false;

	nl_begin(nl, RTM_GETLINK, NLM_F_DUMP);
	nl_reserve(nl, sizeof(struct ifinfomsg));
	nl_put_u32(nl, IFLA_MASTER, (uint32_t)bridge->index);
	while (nl_next(nl, sizeof(struct ifinfomsg)) != NULL)
		found = true;
	if (nl->error == -EINTR) /* they changed meanwhile */
		return has_ports(nl, bridge);
	return !nl_done(nl, "ip link show master %s", bridge->name) || found;
}

/* Not where another bridge of ours needs it, or where somebody has turned it on
 * for all links since. */
static bool restore_forwarding(struct netlink *nl, const struct link *bridge)
{
	char copy[ALIAS_SIZE], *rest = NULL, *link;
	bool done = true;
	int all;

	snprintf(copy, sizeof(copy), "%s", bridge->alias + strlen(MARK));
	strtok_r(copy, " ", &rest); /* the subnet */
	all = is_forwarding("all");
	while ((link = strtok_r(NULL, " ", &rest)) != NULL)
		if (is_noted(nl, link, bridge) || get_link(nl, link).index == 0)
			done = done && (nl->error == 0 || nl->error == -ENODEV);
		else if (all != 1)
			done = all == 0 && set_forwarding(link, false) && done;
	return done;
}

/* The bridge goes last, and only if all else is gone: its alias is the journal
 * by which that can be tried again. */
static void remove_bridge(struct netlink *nl, struct netlink *nft,
			  const struct link *bridge)
{
	const char *name = bridge->name;

	if (!restore_forwarding(nl, bridge))
		return;
	nft_delete_rules(nft, "filter", "DOCKER-USER", name);
	if (!nl_done(nft, "nft delete rule ip filter DOCKER-USER"))
		return;
	trace("nft delete table ip %s", name);
	nft_begin(nft);
	nft_delete_table(nft, name);
	if (nft_commit(nft) != -ENOENT &&
	    !nl_done(nft, "nft delete table ip %s", name))
		return;
	remove_link(nl, name, bridge->index);
}

/* A table of the bridge's name, and no bridge: it is not ours. */
static bool is_table_free(struct netlink *nft, const struct options *options)
{
	const char *bridge = options->bridge;
	int error = nft_find_table(nft, bridge);

	if (error == 0)
		warnx("the table ip %s is there already, but no bridge: choose "
		      "another --bridge, or: nft delete table ip %s",
		      bridge, bridge);
	else if (error != -ENOENT)
		nl_done(nft, "nft list table ip %s%s", bridge,
			link_hint(error, "", options));
	return error == -ENOENT;
}

/* The first container makes the bridge. All see to what may have changed since:
 * another uplink, rules that somebody flushed, a Docker that came. */
static bool join_bridge(struct netlink *nl, struct netlink *nft,
			const struct options *options, const char *uplink)
{
	struct link bridge = get_link(nl, options->bridge);
	bool other = !has_word(bridge.alias, options->subnet_name);

	if (bridge.index == 0 && nl->error != -ENODEV)
		return false;
	if (bridge.index != 0 && !is_ours(&bridge)) {
		warnx("%s is a link that was not made here: choose another "
		      "--bridge",
		      options->bridge);
		return false;
	}
	if (bridge.index != 0 && (other || !bridge.up) &&
	    !has_ports(nl, &bridge)) {
		remove_bridge(nl, nft, &bridge);
		bridge.index = 0;
	}
	if (bridge.index != 0 && other) {
		warnx("bridge %s has another subnet (%s): choose another "
		      "--bridge",
		      options->bridge, bridge.alias + strlen(MARK));
		return false;
	}
	return (bridge.index != 0 ||
		(is_table_free(nft, options) && make_bridge(nl, options))) &&
	       forward_uplink(nl, options, uplink) &&
	       add_rules(nft, options, uplink);
}

/* The kernel is the database of addresses: the one who gets to create the link
 * "cbr0-5" has 10.200.0.5 until that link is gone. */
struct lease {
	int index; /* 0: none */
	char name[IFNAMSIZ];
	struct in_addr address;
	struct mac port, peer; /* of the two ends */
};

/* Both ends come into being where they belong, by one message. (The article
 * creates them here and moves one: 40 times as slow, and a crash in between
 * leaves both.) Returns 0, -EEXIST or another -errno. */
static int create_veth(struct netlink *nl, const struct lease *lease,
		       int bridge, int netns, uint32_t mtu)
{
	struct rtattr *info, *data, *veth_peer;
	struct ifinfomsg *link;

	nl_begin(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	link = nl_reserve(nl, sizeof(*link));
	link->ifi_flags = link->ifi_change = IFF_UP;
	put_link(nl, lease->name, &lease->port, mtu);
	nl_put_u32(nl, IFLA_MASTER, (uint32_t)bridge);
	info = nl_nest(nl, IFLA_LINKINFO);
	nl_put_str(nl, IFLA_INFO_KIND, "veth");
	data = nl_nest(nl, IFLA_INFO_DATA);
	veth_peer = nl_nest(nl, VETH_INFO_PEER);
	nl_reserve(nl, sizeof(*link));
	put_link(nl, "eth0", &lease->peer, mtu);
	nl_put_u32(nl, IFLA_NET_NS_FD, (uint32_t)netns);
	nl_nest_end(nl, veth_peer);
	nl_nest_end(nl, data);
	nl_nest_end(nl, info);
	return nl_try(nl);
}

static int open_netns(pid_t pid)
{
	char path[32];
	int netns;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns == -1 && errno != ENOENT) /* else it ended, and said why */
		warn("open %s", path);
	return netns;
}

/* The port's MAC is nobody's business; it tells whose the port is. */
static struct lease make_lease(const struct options *options, pid_t pid,
			       uint32_t n)
{
	struct in_addr owner = {htonl((uint32_t)pid)};
	struct lease lease = {0};

	lease.address.s_addr = htonl(ntohl(options->subnet.s_addr) + n);
	lease.peer = make_mac(lease.address, 0x02);
	lease.port = make_mac(owner, 0x06);
	snprintf(lease.name, sizeof(lease.name), "%s-%u", options->bridge, n);
	return lease;
}

/* Returns its index, or 0. By an ioctl(2) of netdevice(7), which waits for
 * nobody: trying to create what is there takes many times as long. */
static int find_link(const struct netlink *nl, const char *name)
{
	struct ifreq link = {0};

	snprintf(link.ifr_name, sizeof(link.ifr_name), "%s", name);
	return ioctl(nl->fd, SIOCGIFINDEX, &link) == 0 ? link.ifr_ifindex : 0;
}

static struct lease take_lease(struct netlink *nl,
			       const struct options *options, pid_t pid,
			       uint32_t mtu)
{
	uint32_t n = 1, last = ~netmask(options->prefix) - 1;
	int bridge = get_link(nl, options->bridge).index;
	int netns = open_netns(pid);
	struct lease lease = {0};
	struct link link;

	if (netns == -1 || bridge == 0)
		return lease;
	do
		lease = make_lease(options, pid, ++n);
	while (n <= last &&
	       (find_link(nl, lease.name) != 0 ||
		create_veth(nl, &lease, bridge, netns, mtu) == -EEXIST));
	close(netns);
	if (n > last) {
		warnx("the subnet %s is full: %u containers are in it",
		      options->subnet_name, last - 1);
		return (struct lease){0};
	}
	if (!nl_done(nl, "ip link add %s type veth%s", lease.name,
		     link_hint(nl->error, " (modprobe veth)", options))) {
		/* Was it only the kernel's answer that got lost? */
		link = get_link(nl, lease.name);
		if (memcmp(link.mac, lease.port.bytes, sizeof(link.mac)) == 0)
			remove_link(nl, lease.name, link.index);
		return (struct lease){0};
	}
	trace("ip link add %s up address %s mtu %u master %s type veth "
	      "peer name eth0 address %s mtu %u netns %d",
	      lease.name, lease.port.text, mtu, options->bridge,
	      lease.peer.text, mtu, pid);
	lease.index = find_link(nl, lease.name);
	return lease;
}

/* One launcher at a time makes or removes what all of them share. The lock is
 * on the network namespace: it leaves no file and goes with its holder. */
static int lock_network(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		die("open /proc/self/ns/net");
	while (flock(fd, LOCK_EX) == -1)
		if (errno != EINTR)
			die("flock /proc/self/ns/net");
	return fd;
}

/* The last one out removes the bridge, and all that came with it. */
static void leave_bridge(struct netlink *nl, struct netlink *nft,
			 const char *name)
{
	struct link bridge = get_link(nl, name);

	if (bridge.index != 0 && is_ours(&bridge) && !has_ports(nl, &bridge))
		remove_bridge(nl, nft, &bridge);
}

/* A bridge that is set up before it has a port drops what is sent until the
 * kernel has noticed the port. So it is set up last: one that is down and has
 * no ports is half-made. */
static bool open_bridge(struct netlink *nl, const char *bridge)
{
	return get_link(nl, bridge).up || set_up(nl, bridge);
}

static struct lease connect_host(struct netlink *nl, struct netlink *nft,
				 const struct options *options, pid_t pid,
				 const int lifeline[2])
{
	struct lease lease = {0};
	struct uplink uplink;
	struct in_addr none;
	int lock;

	close(lifeline[1]);
	if (!hear(lifeline[0], &none)) {
		close(lifeline[0]);
		return lease;
	}
	lock = lock_network();
	uplink = check_routes(nl, options);
	if (join_bridge(nl, nft, options, uplink.name))
		lease = take_lease(nl, options, pid, uplink.mtu);
	if (lease.index == 0)
		leave_bridge(nl, nft, options->bridge);
	else if (tell(lifeline[0], lease.address) && hear(lifeline[0], &none) &&
		 open_bridge(nl, options->bridge))
		tell(lifeline[0], lease.address);
	close(lifeline[0]);
	close(lock);
	return lease;
}

/* The veth would go with the container's network namespace, but some 20 ms
 * later: it would still be a port of the bridge now. */
static void disconnect_host(struct netlink *nl, struct netlink *nft,
			    const char *bridge, const struct lease *lease)
{
	int lock;

	if (lease->index == 0)
		return;
	lock = lock_network();
	remove_link(nl, lease->name, lease->index);
	leave_bridge(nl, nft, bridge);
	close(lock);
}

static bool clean_bridge(struct netlink *nl, struct netlink *nft,
			 const char *name)
{
	int lock = lock_network();
	struct link bridge;
	bool gone, in_use;

	leave_bridge(nl, nft, name);
	bridge = get_link(nl, name);
	gone = nl->error == -ENODEV;
	in_use = bridge.index != 0 && has_ports(nl, &bridge);
	close(lock);
	printf("%s: %s\n", name,
	       gone	? "removed, with its rules and its forwarding"
	       : in_use ? "left, for it has containers"
			: "could not be removed");
	return gone || in_use;
}

/* For what launchers that were killed have left: the next container on that
 * bridge would remove it when it leaves, this does it for all bridges now. */
static int clean_host(struct netlink *nl, struct netlink *nft)
{
	struct link bridge = next_bridge(nl, 0);
	int status = EXIT_SUCCESS;

	if (bridge.index == 0 && nl->error == 0)
		puts("there is nothing to clean");
	for (; bridge.index != 0; bridge = next_bridge(nl, bridge.index))
		if (!clean_bridge(nl, nft, bridge.name))
			status = EXIT_LAUNCHER;
	return nl->error == 0 ? status : EXIT_LAUNCHER;
}

/* Stops as the container did, so that the shell sees its job stop, and goes on
 * with it. In an orphaned process group, which no shell can continue, the
 * kernel passes over SIGTSTP. */
static void stop_with_container(pid_t pid)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	kill(pid, SIGCONT);
}

/* An interactive shell made its process group the terminal's foreground group.
 * With the shell gone that group is empty, and nobody can read. (SIGTTOU, by
 * which the kernel keeps the background from doing this, is blocked.) */
static void take_terminal_back(void)
{
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (terminal == -1)
		return;
	if (kill(-tcgetpgrp(terminal), 0) == -1 && errno == ESRCH)
		tcsetpgrp(terminal, getpgrp());
	close(terminal);
}

/* Returns the exit status. */
static int wait_for_container(pid_t pid, const sigset_t *signals)
{
	pid_t changed;
	int sig, status, terminations = 0;

	for (;;) {
		if (sigwait(signals, &sig) != 0)
			continue;
		switch (sig) {
		case SIGCHLD:
			changed = waitpid(pid, &status, WNOHANG | WUNTRACED);
			if (changed == -1) {
				warn("waitpid");
				return EXIT_LAUNCHER;
			}
			if (changed == 0)
				break;
			if (WIFSTOPPED(status)) {
				stop_with_container(pid);
				break;
			}
			take_terminal_back();
			if (WIFSIGNALED(status))
				return 128 + WTERMSIG(status);
			return WEXITSTATUS(status);
		case SIGINT:
		case SIGQUIT:
			break; /* the terminal sent it to the container too */
		case SIGTSTP:
		case SIGTTIN:
		case SIGTTOU:
			kill(pid, SIGSTOP); /* PID 1 ignores these three */
			break;
		case SIGTERM:
			kill(pid, terminations++ == 0 ? SIGTERM : SIGKILL);
			break;
		default:
			kill(pid, sig);
		}
	}
}

int main(int argc, char *argv[])
{
	struct options options;
	struct netlink nl, nft;
	sigset_t signals;
	struct lease lease;
	int lifeline[2], status;
	pid_t pid;

	fill_standard_fds();
	parse_options(argc, argv, &options);
	nl_open(&nl, NETLINK_ROUTE);
	nl_open(&nft, NETLINK_NETFILTER);
	if (options.clean_host)
		return clean_host(&nl, &nft);
	block_signals(&signals);
	resolve_layers(&options);
	if (options.user)
		enter_user_namespace();
	new_pid_namespace();
	open_lifeline(lifeline);
	pid = fork();
	if (pid == -1)
		die("fork");
	if (pid == 0)
		container_main(&options, &signals, lifeline);
	lease = connect_host(&nl, &nft, &options, pid, lifeline);
	status = wait_for_container(pid, &signals);
	disconnect_host(&nl, &nft, options.bridge, &lease);
	return status;
}
