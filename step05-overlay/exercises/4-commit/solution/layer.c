// SPDX-License-Identifier: MIT
/*
 * layer - convert a layer between the formats of overlayfs and of images
 *
 *	# ./container -w kept ../rootfs/tiny-linux rm /etc/hosts
 *	# cp -a kept/upper new; ./layer pack new; find new
 *	new
 *	new/etc
 *	new/etc/.wh.hosts
 *
 * Read: overlayfs.rst (kernel), layer.md (OCI image-spec), nftw(3), xattr(7)
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PREFIX ".wh."
#define OPAQUE ".wh..wh..opq"

/* The second one is for a user namespace, where trusted.* is refused. */
static const char *const attributes[] = {"trusted.overlay.opaque",
					 "user.overlay.opaque"};

static bool is_marker(const char *name)
{
	return strncmp(name, PREFIX, strlen(PREFIX)) == 0;
}

/* ---- pack: from overlayfs to an image ---- */

/* A container that could write markers into the image could delete any file of
 * the layers below. */
static int refuse_marker(const char *path, const struct stat *info, int type,
			 struct FTW *place)
{
	(void)info, (void)type;
	if (place->level > 0 && is_marker(path + place->base))
		errx(1, "%s: no file of an image can have this name", path);
	return 0;
}

static void create_marker(const char *path)
{
	if (mknod(path, S_IFREG | 0644, 0) == -1)
		err(1, "%s", path);
}

static void pack_directory(const char *path)
{
	char value, *marker;

	if (asprintf(&marker, "%s/%s", path, OPAQUE) == -1)
		err(1, "%s", path);
	for (int i = 0; i < 2; i++) {
		if (lgetxattr(path, attributes[i], &value, 1) == 1 &&
		    value == 'y' && lremovexattr(path, attributes[i]) == 0)
			create_marker(marker);
	}
}

static int pack(const char *path, const struct stat *info, int type,
		struct FTW *place)
{
	char *marker;

	if (type == FTW_D)
		pack_directory(path);
	if (!S_ISCHR(info->st_mode) || info->st_rdev != 0)
		return 0;
	if (asprintf(&marker, "%.*s" PREFIX "%s", place->base, path,
		     path + place->base) == -1)
		err(1, "%s", path);
	create_marker(marker);
	if (unlink(path) == -1)
		err(1, "%s", path);
	return 0;
}

/* ---- unpack: from an image to overlayfs ---- */

/* These would hide "." and "..", which can be outside of the layer. */
static int refuse_bad_marker(const char *path, const struct stat *info,
			     int type, struct FTW *place)
{
	const char *name = path + place->base;

	(void)info, (void)type;
	if (place->level > 0 &&
	    (strcmp(name, PREFIX) == 0 || strcmp(name, PREFIX ".") == 0 ||
	     strcmp(name, PREFIX "..") == 0))
		errx(1, "%s: it would delete a directory around it", path);
	return 0;
}

static void set_opaque(const char *path)
{
	if (lsetxattr(path, attributes[0], "y", 1, 0) == 0)
		return;
	if (errno != EPERM || lsetxattr(path, attributes[1], "y", 1, 0) == -1)
		err(1, "%s: opaque", path);
}

/* A whiteout hides what is in the layers below, not what is in its own layer: a
 * directory there, or "." for OPAQUE, does not show theirs. */
static void create_whiteout(const char *path)
{
	struct stat info;

	if (mknod(path, S_IFCHR, 0) == -1 && errno != EEXIST)
		err(1, "%s", path);
	if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode))
		set_opaque(path);
}

static int unpack(const char *path, const struct stat *info, int type,
		  struct FTW *place)
{
	const char *name = path + place->base;
	char *hidden;

	(void)info, (void)type;
	if (place->level == 0 || !is_marker(name))
		return 0;
	if (unlink(path) == -1)
		err(1, "%s", path);
	if (asprintf(&hidden, "%.*s%s", place->base, path,
		     strcmp(name, OPAQUE) ? name + strlen(PREFIX) : ".") == -1)
		err(1, "%s", path);
	create_whiteout(hidden);
	return 0;
}

/* The first walk looks at all names before the second one changes any. */
static void walk(const char *directory, __nftw_func_t check,
		 __nftw_func_t convert)
{
	if (nftw(directory, check, 20, FTW_PHYS) == -1 ||
	    nftw(directory, convert, 20, FTW_PHYS) == -1)
		err(1, "%s", directory);
}

int main(int argc, char *argv[])
{
	if (argc == 3 && strcmp(argv[1], "pack") == 0)
		walk(argv[2], refuse_marker, pack);
	else if (argc == 3 && strcmp(argv[1], "unpack") == 0)
		walk(argv[2], refuse_bad_marker, unpack);
	else
		errx(2, "usage: layer pack DIR, or layer unpack DIR");
	return 0;
}
