/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libattest-simulated-guest.so, for LD_PRELOAD: what a Linux SEV-SNP or TDX guest offers to its programs, below a folder instead of /.
 *
 *   <root>/sys/kernel/config/tsm/report/   configfs-tsm, with provider sev_guest or tdx_guest
 *                                          (Documentation/ABI/testing/configfs-tsm-report)
 *   <root>/dev/sev-guest                   SNP_GET_REPORT and SNP_GET_EXT_REPORT (Documentation/virt/coco/sev-guest.rst)
 *   <root>/dev/tdx_guest                   TDX_CMD_GET_REPORT0 (Documentation/virt/coco/tdx-guest.rst)
 *   <root>/run/tdx-qgs/qgs.socket          the quote generation service of the host
 *
 * The attributes are ordinary files; this library makes them when a report entry is made, counts writes, and mints the report
 * when outblob or auxblob is opened. Settings, all from the environment:
 *
 *   ATTEST_SIMULATED_ROOT         the folder; without it the library does nothing
 *   ATTEST_SIMULATED_VENDOR       folder of the vendor's keys (default: <root>/vendor)
 *   ATTEST_SIMULATED_TEE          snp (default) or tdx
 *   ATTEST_SIMULATED_PRODUCT      milan, genoa (default), zen4c, turin
 *   ATTEST_SIMULATED_VLEK         1: signed by a VLEK
 *   ATTEST_SIMULATED_DEBUG        1: a guest that may be debugged
 *   ATTEST_SIMULATED_MEASUREMENT  96 hex digits
 *   ATTEST_SIMULATED_SET          field=value, comma-separated (attestctl simulate snp --help, or tdx)
 *   ATTEST_SIMULATED_FAULT        fault names, comma-separated
 *   ATTEST_SIMULATED_DEVICES      "tsm", "sev-guest", "tdx-guest", comma-separated (default: tsm and the TEE's own)
 *   ATTEST_SIMULATED_VERSION      of a TDX quote: 4 (default) or 5
 *   ATTEST_SIMULATED_SERVICE      the quote generation service: "refuses", "cut" (answers by halves), "none"
 *   ATTEST_SIMULATED_CERTS        0: the host gives no certificates
 *   ATTEST_SIMULATED_FLOOR        privlevel_floor, 0 to 3 (default 0)
 *   ATTEST_SIMULATED_RACES        so many reads of outblob find that another program wrote inblob just before
 *   ATTEST_SIMULATED_BUSY         so many requests fail with EBUSY first
 */
#include "sdk/simulator/guest_tdx.h"
#include "sdk/simulator/snp_fields.h"
#include "sdk/simulator/tdx_fields.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
#define MOST_FDS 1024
#define REPORTS "/sys/kernel/config/tsm/report"
#define SEV_DEVICE "/dev/sev-guest"
#define TDX_DEVICE "/dev/tdx_guest"
#define TDX_SERVICE "/run/tdx-qgs"

enum { REPORT_DATA_SIZE = 64, REPORT_SIZE = 1184, PAGE = 4096 };

/* What an open descriptor of ours is. */
enum kind { NOT_OURS = 0, INBLOB, PRIVLEVEL, SEV_GUEST, TDX_GUEST };

static struct {
    bool active, tsm, sev_guest, tdx_guest;
    bool tdx; /* a trust domain */
    struct sim_guest_tdx td;
    char root[PATH_MAX / 2];
    struct sim_snp_vendor *vendor;
    struct sim_snp_scene scene;
    bool certificates;
    long floor, races, busy;
    uint8_t kinds[MOST_FDS];
    char entries[MOST_FDS][NAME_MAX + 1]; /* report entry an attribute belongs to */
    pthread_mutex_t lock;
} guest = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int (*real_open)(const char *, int, ...);
static int (*real_mkdir)(const char *, mode_t);
static int (*real_rmdir)(const char *);
static int (*real_close)(int);
static int (*real_ioctl)(int, unsigned long, ...);
static ssize_t (*real_write)(int, const void *, size_t);

static const char *setting(const char *name, const char *otherwise)
{
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

static void refuse(const char *what, const char *value)
{
    fprintf(stderr, "simulated guest: %s: %s\n", what, value);
    exit(70);
}

static void each_word(const char *list, void (*use)(const char *word))
{
    char *copy = strdup(list), *rest = copy;
    for (char *word; copy && (word = strsep(&rest, ",")) != NULL;) {
        if (*word) {
            use(word);
        }
    }
    free(copy);
}

static void use_field(const char *word)
{
    if (!(guest.tdx ? sim_tdx_set(&guest.td.scene, word) : sim_snp_set(&guest.scene.guest, word))) {
        refuse("no such field or value", word);
    }
}

static void use_fault(const char *word)
{
    if (!(guest.tdx ? sim_tdx_apply_fault(&guest.td.scene, word) : sim_snp_apply_fault(&guest.scene, word))) {
        refuse("no such fault", word);
    }
}

static void use_device(const char *word)
{
    guest.tsm |= strcmp(word, "tsm") == 0;
    guest.sev_guest |= strcmp(word, "sev-guest") == 0;
    guest.tdx_guest |= strcmp(word, "tdx-guest") == 0;
}

static bool write_whole(const char *path, const void *bytes, size_t len, mode_t mode)
{
    int fd = real_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    bool good = fd >= 0 && real_write(fd, bytes, len) == (ssize_t)len;
    if (fd >= 0) {
        real_close(fd);
    }
    return good;
}

static size_t read_whole(const char *path, void *bytes, size_t room)
{
    int fd = real_open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, bytes, room);
    if (fd >= 0) {
        real_close(fd);
    }
    return len < 0 ? 0 : (size_t)len;
}

static void make_folders(const char *below_root)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s", guest.root, below_root);
    for (char *slash = strchr(path + strlen(guest.root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        real_mkdir(path, 0755);
        *slash = '/';
    }
    real_mkdir(path, 0755);
}

static void configure_snp(const char *directory)
{
    enum sim_snp_product product = SIM_SNP_GENOA;
    const char *name = setting("ATTEST_SIMULATED_PRODUCT", "genoa"), *measurement = setting("ATTEST_SIMULATED_MEASUREMENT", NULL);
    if (!sim_snp_product_named(name, &product)) {
        refuse("no such product", name);
    }
    sim_snp_scene_default(&guest.scene, product, *setting("ATTEST_SIMULATED_VLEK", "0") == '1');
    if (measurement && !sim_snp_set_hex(guest.scene.guest.measurement, 48, measurement)) {
        refuse("the measurement is not 96 hex digits", measurement);
    }
    guest.vendor = sim_snp_vendor_open(directory, product);
    if (!guest.vendor) {
        refuse("cannot make or load the vendor in", directory);
    }
}

static void configure_tdx(const char *directory)
{
    const char *measurement = setting("ATTEST_SIMULATED_MEASUREMENT", NULL), *service = setting("ATTEST_SIMULATED_SERVICE", "");
    sim_tdx_scene_default(&guest.td.scene, *setting("ATTEST_SIMULATED_VERSION", "4") == '5' ? 5 : 4, false);
    if (measurement && !sim_snp_set_hex(guest.td.scene.guest.mrtd, 48, measurement)) {
        refuse("the measurement is not 96 hex digits", measurement);
    }
    guest.td.service_refuses = strcmp(service, "refuses") == 0;
    guest.td.service_cut = strcmp(service, "cut") == 0;
    guest.td.vendor = sim_tdx_vendor_open(directory);
    if (!guest.td.vendor) {
        refuse("cannot make or load the vendor in", directory);
    }
}

static void configure(void)
{
    char vendor[PATH_MAX];
    snprintf(vendor, sizeof vendor, "%s/vendor", guest.root);
    const char *directory = setting("ATTEST_SIMULATED_VENDOR", vendor), *tee = setting("ATTEST_SIMULATED_TEE", "snp");
    guest.tdx = strcmp(tee, "tdx") == 0;
    if (!guest.tdx && strcmp(tee, "snp") != 0) {
        refuse("no such TEE", tee);
    }
    if (guest.tdx) {
        configure_tdx(directory);
    } else {
        configure_snp(directory);
    }
    if (*setting("ATTEST_SIMULATED_DEBUG", "0") == '1') {
        use_fault("debug");
    }
    each_word(setting("ATTEST_SIMULATED_SET", ""), use_field);
    each_word(setting("ATTEST_SIMULATED_FAULT", ""), use_fault);
    each_word(setting("ATTEST_SIMULATED_DEVICES", guest.tdx ? "tsm,tdx-guest" : "tsm,sev-guest"), use_device);
    guest.certificates = *setting("ATTEST_SIMULATED_CERTS", "1") != '0';
    guest.floor = strtol(setting("ATTEST_SIMULATED_FLOOR", "0"), NULL, 10);
    guest.races = strtol(setting("ATTEST_SIMULATED_RACES", "0"), NULL, 10);
    guest.busy = strtol(setting("ATTEST_SIMULATED_BUSY", "0"), NULL, 10);
}

/* Other libraries' constructors may open files before ours ran. */
static void resolve(void)
{
    *(void **)&real_open = dlsym(RTLD_NEXT, "open");
    *(void **)&real_mkdir = dlsym(RTLD_NEXT, "mkdir");
    *(void **)&real_rmdir = dlsym(RTLD_NEXT, "rmdir");
    *(void **)&real_close = dlsym(RTLD_NEXT, "close");
    *(void **)&real_ioctl = dlsym(RTLD_NEXT, "ioctl");
    *(void **)&real_write = dlsym(RTLD_NEXT, "write");
}

static void make_device(const char *below_root)
{
    char device[PATH_MAX];
    make_folders("/dev");
    snprintf(device, sizeof device, "%s%s", guest.root, below_root);
    write_whole(device, "", 0, 0600);
}

static void start_service(void)
{
    char path[PATH_MAX];
    make_folders(TDX_SERVICE);
    snprintf(path, sizeof path, "%s" TDX_SERVICE "/qgs.socket", guest.root);
    if (strcmp(setting("ATTEST_SIMULATED_SERVICE", ""), "none") == 0) {
        unlink(path);
    } else if (!sim_guest_tdx_serve(&guest.td, path)) {
        refuse("cannot serve quotes at", path);
    }
}

__attribute__((constructor)) static void start(void)
{
    resolve();
    const char *root = setting("ATTEST_SIMULATED_ROOT", NULL);
    if (!root) {
        return;
    }
    if (strlen(root) >= sizeof guest.root) {
        refuse("the root's path is too long", root);
    }
    strcpy(guest.root, root);
    real_mkdir(guest.root, 0755);
    configure();
    if (guest.tsm) {
        make_folders(REPORTS);
    }
    if (guest.sev_guest) {
        make_device(SEV_DEVICE);
    }
    if (guest.tdx_guest) {
        make_device(TDX_DEVICE);
        start_service();
    }
    guest.active = true;
}

/* --- Minting --- */

static struct sim_bytes certificate_table(void)
{
    struct sim_bytes none = {NULL, 0};
    if (!guest.certificates || guest.tdx) {
        return none;
    }
    bool vlek = guest.scene.guest.vlek;
    struct sim_bytes vek = sim_snp_scene_vek(guest.vendor, &guest.scene);
    struct sim_bytes ask = vlek ? sim_snp_asvk(guest.vendor) : sim_snp_ask(guest.vendor), ark = sim_snp_ark(guest.vendor);
    struct sim_bytes table = sim_snp_table(vek, vlek, ask, ark, none, true, false);
    free(vek.data);
    free(ask.data);
    free(ark.data);
    return table;
}

static struct sim_bytes report_over(const uint8_t *report_data, size_t len, uint32_t vmpl)
{
    if (guest.tdx) {
        uint8_t field[REPORT_DATA_SIZE] = {0};
        memcpy(field, report_data, len);
        return sim_guest_tdx_quote(&guest.td, field);
    }
    struct sim_snp_scene scene = guest.scene;
    memset(scene.guest.report_data, 0, sizeof scene.guest.report_data);
    memcpy(scene.guest.report_data, report_data, len);
    if (scene.guest.vmpl == 0) { /* else set on purpose */
        scene.guest.vmpl = vmpl;
    }
    return sim_snp_scene_report(guest.vendor, &scene);
}

/* --- configfs-tsm --- */

/* The report entry and attribute of a path; false when the path is not below the reports' folder. attribute "" is the entry itself. */
static bool split_path(const char *path, char entry[NAME_MAX + 1], const char **attribute)
{
    if (!guest.active || !guest.tsm || strncmp(path, guest.root, strlen(guest.root)) != 0) {
        return false;
    }
    path += strlen(guest.root);
    if (strncmp(path, REPORTS "/", strlen(REPORTS "/")) != 0) {
        return false;
    }
    path += strlen(REPORTS "/");
    size_t len = strcspn(path, "/");
    if (len == 0 || len > NAME_MAX) {
        return false;
    }
    memcpy(entry, path, len);
    entry[len] = '\0';
    *attribute = path[len] == '/' ? path + len + 1 : "";
    return true;
}

static void attribute_path(char out[PATH_MAX], const char *entry, const char *attribute)
{
    snprintf(out, PATH_MAX, "%s" REPORTS "/%s/%s", guest.root, entry, attribute);
}

static bool write_attribute(const char *entry, const char *attribute, const void *bytes, size_t len, mode_t mode)
{
    char path[PATH_MAX];
    attribute_path(path, entry, attribute);
    return write_whole(path, bytes, len, mode);
}

static void make_attributes(const char *entry)
{
    char floor[16];
    snprintf(floor, sizeof floor, "%ld\n", guest.floor);
    write_attribute(entry, "inblob", "", 0, 0600);
    write_attribute(entry, "outblob", "", 0, 0600);
    write_attribute(entry, "provider", guest.tdx ? "tdx_guest\n" : "sev_guest\n", 10, 0600);
    write_attribute(entry, "generation", "0\n", 2, 0600);
    if (guest.tdx) { /* its driver has neither an auxblob nor privilege levels */
        return;
    }
    write_attribute(entry, "auxblob", "", 0, 0600);
    write_attribute(entry, "privlevel", "", 0, 0600);
    write_attribute(entry, "privlevel_floor", floor, strlen(floor), 0600);
}

static long read_number(const char *entry, const char *attribute)
{
    char path[PATH_MAX], text[32];
    attribute_path(path, entry, attribute);
    size_t len = read_whole(path, text, sizeof text - 1);
    text[len] = '\0';
    return strtol(text, NULL, 10);
}

static void next_generation(const char *entry)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", read_number(entry, "generation") + 1);
    write_attribute(entry, "generation", text, (size_t)len, 0600);
}

/* Fills outblob and auxblob from what inblob says now. 0, or the errno that opening the attribute gets. */
static int refresh(const char *entry)
{
    char path[PATH_MAX];
    uint8_t report_data[REPORT_DATA_SIZE] = {0};
    if (guest.busy > 0) {
        guest.busy--;
        return EBUSY;
    }
    if (guest.races > 0) {
        guest.races--;
        memset(report_data, 0xee, sizeof report_data);
        write_attribute(entry, "inblob", report_data, sizeof report_data, 0600);
        next_generation(entry);
    }
    attribute_path(path, entry, "inblob");
    size_t len = read_whole(path, report_data, sizeof report_data);
    long vmpl = read_number(entry, "privlevel");
    if (len == 0 || vmpl < guest.floor) {
        return EINVAL;
    }
    struct sim_bytes report = report_over(report_data, len, (uint32_t)vmpl), table = certificate_table();
    bool good = report.data && write_attribute(entry, "outblob", report.data, report.len, 0600) &&
                (guest.tdx || write_attribute(entry, "auxblob", table.data ? table.data : (const uint8_t *)"", table.len, 0600));
    free(report.data);
    free(table.data);
    return good ? 0 : EIO;
}

static void remember(int fd, enum kind kind, const char *entry)
{
    if (fd >= 0 && fd < MOST_FDS) {
        guest.kinds[fd] = (uint8_t)kind;
        strcpy(guest.entries[fd], entry);
    }
}

/* Before and after the real open. */
static int open_attribute(const char *path, int flags, mode_t mode, const char *entry, const char *attribute)
{
    bool made = strcmp(attribute, "outblob") == 0 || strcmp(attribute, "auxblob") == 0;
    bool taken = strcmp(attribute, "inblob") == 0, level = strcmp(attribute, "privlevel") == 0;
    bool writes = (flags & O_ACCMODE) != O_RDONLY;
    if (writes != (taken || level)) {
        errno = EACCES; /* attributes are read-only or write-only; root's open would succeed and its read fail: as good */
        return -1;
    }
    int fault = made ? refresh(entry) : 0;
    if (fault) {
        errno = fault;
        return -1;
    }
    int fd = real_open(path, taken || level ? flags | O_TRUNC : flags, mode);
    remember(fd, taken ? INBLOB : level ? PRIVLEVEL : NOT_OURS, entry);
    return fd;
}

static enum kind device_kind(const char *path)
{
    if (!guest.active || strncmp(path, guest.root, strlen(guest.root)) != 0) {
        return NOT_OURS;
    }
    path += strlen(guest.root);
    if (guest.sev_guest && strcmp(path, SEV_DEVICE) == 0) {
        return SEV_GUEST;
    }
    return guest.tdx_guest && strcmp(path, TDX_DEVICE) == 0 ? TDX_GUEST : NOT_OURS;
}

static int open_any(const char *path, int flags, mode_t mode)
{
    char entry[NAME_MAX + 1];
    const char *attribute = "";
    if (!real_open) {
        resolve();
    }
    enum kind kind = device_kind(path);
    if (kind != NOT_OURS) {
        int fd = real_open(path, flags, mode);
        remember(fd, kind, "");
        return fd;
    }
    if (!split_path(path, entry, &attribute) || !*attribute) {
        return real_open(path, flags, mode);
    }
    pthread_mutex_lock(&guest.lock);
    int fd = open_attribute(path, flags, mode, entry, attribute);
    int why = errno;
    pthread_mutex_unlock(&guest.lock);
    errno = why;
    return fd;
}

EXPORTED int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_any(path, flags, mode);
}

EXPORTED int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_any(path, flags | O_LARGEFILE, mode);
}

/* What open() becomes under _FORTIFY_SOURCE when its flags are not constant. */
int __open_2(const char *path, int flags);
EXPORTED int __open_2(const char *path, int flags)
{
    return open_any(path, flags, 0);
}

EXPORTED ssize_t write(int fd, const void *bytes, size_t len)
{
    if (!real_write) {
        resolve();
    }
    enum kind kind = fd >= 0 && fd < MOST_FDS ? (enum kind)guest.kinds[fd] : NOT_OURS;
    if (kind == INBLOB && len > REPORT_DATA_SIZE) {
        errno = EINVAL;
        return -1;
    }
    ssize_t written = real_write(fd, bytes, len);
    if (kind == INBLOB || kind == PRIVLEVEL) {
        pthread_mutex_lock(&guest.lock);
        next_generation(guest.entries[fd]);
        pthread_mutex_unlock(&guest.lock);
    }
    return written;
}

EXPORTED int close(int fd)
{
    if (!real_close) {
        resolve();
    }
    if (fd >= 0 && fd < MOST_FDS) {
        guest.kinds[fd] = NOT_OURS;
    }
    return real_close(fd);
}

EXPORTED int mkdir(const char *path, mode_t mode)
{
    char entry[NAME_MAX + 1];
    const char *attribute = "";
    if (!real_mkdir) {
        resolve();
    }
    int status = real_mkdir(path, mode);
    if (status == 0 && split_path(path, entry, &attribute) && !*attribute) {
        make_attributes(entry);
    }
    return status;
}

/* configfs removes an entry with its attributes. */
EXPORTED int rmdir(const char *path)
{
    static const char *const attributes[] = {"inblob", "outblob", "auxblob", "provider", "generation", "privlevel", "privlevel_floor"};
    char entry[NAME_MAX + 1], file[PATH_MAX];
    const char *attribute = "";
    if (!real_rmdir) {
        resolve();
    }
    if (split_path(path, entry, &attribute) && !*attribute) {
        for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
            attribute_path(file, entry, attributes[i]);
            unlink(file);
        }
    }
    return real_rmdir(path);
}

/* --- /dev/sev-guest: the structures of the kernel's interface, by offset --- */

struct message {
    uint8_t version, reserved[7];
    uint64_t request, response; /* addresses */
    uint64_t exit_info;         /* VMM error in the upper half, firmware error in the lower */
};
struct report_request {
    uint8_t report_data[REPORT_DATA_SIZE];
    uint32_t vmpl;
    uint8_t reserved[28];
};
struct extended_request {
    struct report_request report;
    uint64_t certificates; /* address */
    uint32_t certificates_len;
    uint32_t padding;
};
#define GET_REPORT _IOWR('S', 0x0, struct message)
#define GET_EXTENDED_REPORT _IOWR('S', 0x2, struct message)

static void *address(uint64_t number)
{
    return (void *)(uintptr_t)number;
}

/* MSG_REPORT_RSP (AMD 56860 table 25): status, size, 24 reserved bytes, the report; in the kernel's 4000 bytes. */
static int answer_report(const struct report_request *request, struct message *message)
{
    struct sim_bytes report = report_over(request->report_data, sizeof request->report_data, request->vmpl);
    if (!report.data) {
        return EIO;
    }
    uint8_t response[4000] = {0};
    response[4] = (uint8_t)report.len;
    response[5] = (uint8_t)(report.len >> 8);
    memcpy(response + 32, report.data, report.len);
    memcpy(address(message->response), response, sizeof response);
    free(report.data);
    return 0;
}

static int answer_extended(struct extended_request *request, struct message *message)
{
    struct sim_bytes table = certificate_table();
    size_t pages = (table.len + PAGE - 1) / PAGE * PAGE;
    if (request->certificates_len < pages) {
        request->certificates_len = (uint32_t)pages;
        message->exit_info = UINT64_C(1) << 32; /* INVALID_LEN */
        free(table.data);
        return ENOSPC;
    }
    if (table.data) {
        memset(address(request->certificates), 0, request->certificates_len);
        memcpy(address(request->certificates), table.data, table.len);
    }
    free(table.data);
    return answer_report(&request->report, message);
}

static int answer(unsigned long number, struct message *message)
{
    message->exit_info = 0;
    if (message->version == 0) {
        return EINVAL;
    }
    if (guest.busy > 0) {
        guest.busy--;
        message->exit_info = UINT64_C(2) << 32;
        return EAGAIN;
    }
    if (number == GET_REPORT) {
        return answer_report(address(message->request), message);
    }
    return number == GET_EXTENDED_REPORT ? answer_extended(address(message->request), message) : ENOTTY;
}

/* --- /dev/tdx_guest --- */

struct td_request {
    uint8_t report_data[REPORT_DATA_SIZE];
    uint8_t report[SIM_TDREPORT_SIZE];
};
#define TDX_GET_REPORT _IOWR('T', 1, struct td_request)

static int answer_td(unsigned long number, struct td_request *request)
{
    if (number != TDX_GET_REPORT) {
        return ENOTTY;
    }
    if (guest.busy > 0) {
        guest.busy--;
        return EBUSY;
    }
    sim_guest_tdx_report(&guest.td, request->report_data, request->report);
    return 0;
}

EXPORTED int ioctl(int fd, unsigned long number, ...)
{
    va_list arguments;
    va_start(arguments, number);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (!real_ioctl) {
        resolve();
    }
    enum kind kind = fd >= 0 && fd < MOST_FDS ? (enum kind)guest.kinds[fd] : NOT_OURS;
    if (kind != SEV_GUEST && kind != TDX_GUEST) {
        return real_ioctl(fd, number, argument);
    }
    pthread_mutex_lock(&guest.lock);
    int fault = kind == TDX_GUEST ? answer_td(number, argument) : answer(number, argument);
    pthread_mutex_unlock(&guest.lock);
    errno = fault;
    return fault ? -1 : 0;
}
