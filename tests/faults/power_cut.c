/* A disk that forgets: preloaded, it keeps beside a folder a shadow of it that holds only what was synced.
 *
 * WARDGATE_CUT_FOLDER  the folder to watch; WARDGATE_CUT_SHADOW where its shadow stands (both absolute, both exist).
 * WARDGATE_CUT_EARLY   percentage of writes that reach the shadow at once: a real disk may keep any part of what was
 *                      not synced, so ordering mistakes show too.
 *
 * WARDGATE_CUT_NAMES   when set, a new file is in the shadow only once the folder was synced behind its making.
 *
 * After SIGKILL the shadow is what a power cut would have left. A write marks its range; fsync or fdatasync copies the
 * marked ranges and the length; an unlink counts once the folder is synced. Writes through mmap are not seen: SQLite uses them for its shared-memory file alone,
 * which it rebuilds.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct range { off64_t at; size_t length; };
struct file { char name[NAME_MAX + 1]; struct range *ranges; size_t count, room; int removed; };

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static struct file files[1024];
static unsigned seed;

static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void find_real(void) {
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
}

/* The name within the watched folder, "" for the folder itself, or NULL. */
static const char *within(const char *path) {
    const char *folder = getenv("WARDGATE_CUT_FOLDER");
    size_t prefix = folder ? strlen(folder) : 0;
    if (!folder || strncmp(path, folder, prefix) != 0) return NULL;
    return path[prefix] == '/' ? path + prefix + 1 : path[prefix] == 0 ? "" : NULL;
}

static const char *watched(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return NULL;
    path[length] = 0;
    return within(path);
}

static struct file *entry(const char *name) {
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (!files[i].name[0]) strncpy(files[i].name, name, NAME_MAX);
        if (strcmp(files[i].name, name) == 0) return &files[i];
    }
    abort();
}

/* The shadow of a file; -1 while its name is not on the disk. */
static int shadow_of(const char *name, int named) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", getenv("WARDGATE_CUT_SHADOW"), name);
    int make = named || !getenv("WARDGATE_CUT_NAMES") ? O_CREAT : 0;
    int fd = open(path, O_RDWR | make | O_CLOEXEC, 0600);
    if (fd < 0 && make) abort();
    return fd;
}

static void mark(int fd, const void *data, size_t length, off64_t at) {
    char path[PATH_MAX];
    const char *name = watched(fd, path);
    if (!name) return;
    pthread_mutex_lock(&guard);
    if (!seed) seed = (unsigned)getpid();
    const char *early = getenv("WARDGATE_CUT_EARLY");
    if (early && rand_r(&seed) % 100 < atoi(early)) {
        int shadow = shadow_of(name, 0);
        if (shadow >= 0 && real_pwrite(shadow, data, length, at) != (ssize_t)length) abort();
        close(shadow);
    }
    struct file *file = entry(name);
    file->removed = 0;
    if (file->count == file->room) {
        file->room = file->room ? 2 * file->room : 64;
        file->ranges = realloc(file->ranges, file->room * sizeof *file->ranges);
        if (!file->ranges) abort();
    }
    file->ranges[file->count++] = (struct range){at, length};
    pthread_mutex_unlock(&guard);
}

static void forget_removed(void) {
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (!files[i].removed) continue;
        snprintf(path, sizeof path, "%s/%s", getenv("WARDGATE_CUT_SHADOW"), files[i].name);
        real_unlink(path);
        files[i].removed = 0;
    }
}

static void remember_names(const char *folder) {
    DIR *listing = opendir(folder);
    if (!listing) abort();
    for (struct dirent *one; (one = readdir(listing));)
        if (one->d_type == DT_REG) close(shadow_of(one->d_name, 1));
    closedir(listing);
}

static int sync_shadow(int fd) {
    char path[PATH_MAX];
    const char *name = watched(fd, path);
    if (!name) return 0;
    struct stat64 facts;
    pthread_mutex_lock(&guard);
    if (!*name) {
        forget_removed();
        if (getenv("WARDGATE_CUT_NAMES")) remember_names(path);
        pthread_mutex_unlock(&guard);
        return 0;
    }
    struct file *file = entry(name);
    /* The descriptor may be of another kind than this needs; the file is the same. */
    int source = open(path, O_RDONLY | O_CLOEXEC), shadow = shadow_of(name, 0);
    if (source >= 0 && shadow < 0) {
        /* Synced before its name: the ranges stay marked for the next sync, which a strict disk allows. */
        close(source);
        pthread_mutex_unlock(&guard);
        return 0;
    }
    if (source < 0 || fstat64(source, &facts) || ftruncate64(shadow, facts.st_size)) abort();
    for (size_t i = 0; i < file->count; i++) {
        struct range *range = &file->ranges[i];
        char *buffer = malloc(range->length + 1);
        ssize_t got = buffer ? pread64(source, buffer, range->length, range->at) : -1;
        if (got < 0 || real_pwrite(shadow, buffer, (size_t)got, range->at) != got) abort();
        free(buffer);
    }
    file->count = 0;
    close(source);
    close(shadow);
    pthread_mutex_unlock(&guard);
    return 0;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
    ssize_t done = real_pwrite(fd, data, length, at);
    if (done > 0) mark(fd, data, (size_t)done, at);
    return done;
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }

ssize_t write(int fd, const void *data, size_t length) {
    ssize_t done = real_write(fd, data, length);
    /* Asked afterwards: with O_APPEND the position before says nothing. */
    off64_t end = done > 0 ? lseek64(fd, 0, SEEK_CUR) : -1;
    if (end >= done) mark(fd, data, (size_t)done, end - done);
    return done;
}

int unlink(const char *path) {
    const char *name = within(path);
    if (name && *name) {
        pthread_mutex_lock(&guard);
        struct file *file = entry(name);
        file->removed = 1;
        file->count = 0;
        pthread_mutex_unlock(&guard);
    }
    return real_unlink(path);
}

int fsync(int fd) { return sync_shadow(fd); }
int fdatasync(int fd) { return sync_shadow(fd); }
