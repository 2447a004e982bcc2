/* The run as TensorBoard reads it: loss, top-1 accuracy and rate of every epoch as scalars in a file
 * events.out.tfevents.*. Records are framed as in TFRecord files: length, its checksum, the protobuf
 * message, its checksum. A resumed run begins a file of its own whose first record tells TensorBoard to
 * forget what came after that step. */
#include "train/train.h"

#ifdef ESPL__HAVE_PROTOBUF_C
#include "event.pb-c.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME_START "events.out.tfevents."
#define SCALARS_MAX (ESPL__REPORTS_MAX + 8)
#define LARGEST_RECORD 16384

struct espl__event_log {
    FILE *file;
    char path[ESPL__PATH_MAX];
    unsigned char record[LARGEST_RECORD];
    Espalier__Value values[SCALARS_MAX];
    Espalier__Value *pointers[SCALARS_MAX];
    char tags[SCALARS_MAX][80];
};

/* CRC-32C (Castagnoli), four bits at a time. */
static uint32_t crc32c(const unsigned char *bytes, size_t count)
{
    static const uint32_t table[16] = {
        0x00000000u, 0x105ec76fu, 0x20bd8edeu, 0x30e349b1u, 0x417b1dbcu, 0x5125dad3u, 0x61c69362u, 0x7198540du,
        0x82f63b78u, 0x92a8fc17u, 0xa24bb5a6u, 0xb21572c9u, 0xc38d26c4u, 0xd3d3e1abu, 0xe330a81au, 0xf36e6f75u
    };
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return crc ^ 0xffffffffu;
}

/* Checksums are stored turned and shifted, so that a checksum over checksums does not come out trivial. */
static uint32_t masked_crc(const unsigned char *bytes, size_t count)
{
    const uint32_t crc = crc32c(bytes, count);

    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

static void put(unsigned char *bytes, uint64_t value, int count)
{
    for (int i = 0; i < count; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
}

static espl_status fail(espl_run *run)
{
    return espl__fail(run->ctx, ESPL_WRITE_FAILED, "%s: cannot be written: %s", run->events->path,
                      strerror(errno));
}

static espl_status write_event(espl_run *run, Espalier__Event *event)
{
    struct espl__event_log *log = run->events;
    const size_t bytes = espalier__event__get_packed_size(event);
    struct timespec now;

    if (bytes + 32 > sizeof log->record)
        return espl__fail(run->ctx, ESPL_BAD_STATE, "%s: a record of %zu bytes is too long", log->path, bytes);
    clock_gettime(CLOCK_REALTIME, &now);
    event->has_wall_time = 1;
    event->wall_time = (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
    event->has_step = 1;
    event->step = run->progress.step;
    const size_t packed = espalier__event__pack(event, log->record + 12);
    put(log->record, packed, 8);
    put(log->record + 8, masked_crc(log->record, 8), 4);
    put(log->record + 12 + packed, masked_crc(log->record + 12, packed), 4);
    if (fwrite(log->record, 1, packed + 16, log->file) != packed + 16 || fflush(log->file) != 0)
        return fail(run);
    return ESPL_OK;
}

/* A run that begins anew shall not be drawn over an old one. */
static void remove_old(const espl_run *run)
{
    char path[ESPL__PATH_MAX + 300];
    DIR *folder = opendir(run->folder);

    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        if (strncmp(entry->d_name, NAME_START, strlen(NAME_START)) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", run->folder, entry->d_name);
        unlink(path);
    }
    closedir(folder);
}

static espl_status open_file(espl_run *run)
{
    struct espl__event_log *log = run->events;
    char name[192], host[20] = "";

    gethostname(host, sizeof host - 1);
    snprintf(name, sizeof name, NAME_START "%010lld.%.64s.%ld", (long long)time(NULL), host, (long)getpid());
    espl__folder_path(run, name, log->path);
    log->file = fopen(log->path, "ab");
    return log->file ? ESPL_OK : fail(run);
}

espl_status espl__events_begin(espl_run *run, bool resumed)
{
    Espalier__Event version = ESPALIER__EVENT__INIT, start = ESPALIER__EVENT__INIT;
    Espalier__SessionLog session = ESPALIER__SESSION_LOG__INIT;
    char text[] = "brain.Event:2";
    espl_status s;

    if (!run->folder)
        return ESPL_OK;
    if ((s = espl__allocate(run->ctx, 1, sizeof *run->events, &run->events)))
        return s;
    if (!resumed)
        remove_old(run);
    if ((s = open_file(run)))
        return s;
    version.file_version = text;
    session.has_status = 1;
    session.status = ESPALIER__SESSION_LOG__STATUS__START;
    start.session_log = &session;
    if ((s = write_event(run, &version)))
        return s;
    return resumed ? write_event(run, &start) : ESPL_OK;
}

static void add_scalar(struct espl__event_log *log, Espalier__Summary *summary, const char *name, double value)
{
    const size_t i = summary->n_value;

    if (isnan(value) || i == SCALARS_MAX)
        return;
    snprintf(log->tags[i], sizeof log->tags[i], "%s", name);
    espalier__value__init(&log->values[i]);
    log->values[i].tag = log->tags[i];
    log->values[i].has_simple_value = 1;
    log->values[i].simple_value = (float)value;
    log->pointers[i] = &log->values[i];
    summary->n_value++;
}

espl_status espl__events_epoch(espl_run *run, const espl_news *news)
{
    struct espl__event_log *log = run->events;
    Espalier__Event event = ESPALIER__EVENT__INIT;
    Espalier__Summary summary = ESPALIER__SUMMARY__INIT;

    if (!log)
        return ESPL_OK;
    summary.value = log->pointers;
    add_scalar(log, &summary, "loss/training", news->loss);
    add_scalar(log, &summary, "loss/held_out", news->held_out_loss);
    add_scalar(log, &summary, "top1/training", news->top1);
    add_scalar(log, &summary, "top1/held_out", news->held_out_top1);
    add_scalar(log, &summary, "rate", news->rate);
    for (int i = 0; i < run->report_count; i++)
        add_scalar(log, &summary, run->report[i].name, run->report[i].value);
    event.summary = &summary;
    return write_event(run, &event);
}

void espl__events_free(espl_run *run)
{
    if (!run->events)
        return;
    if (run->events->file)
        fclose(run->events->file);
    espl__release(run->ctx, run->events);
    run->events = NULL;
}

#else /* without protobuf-c there is no event file; log.jsonl tells the same */

espl_status espl__events_begin(espl_run *run, bool resumed)
{
    (void)run;
    (void)resumed;
    return ESPL_OK;
}

espl_status espl__events_epoch(espl_run *run, const espl_news *news)
{
    (void)run;
    (void)news;
    return ESPL_OK;
}

void espl__events_free(espl_run *run)
{
    (void)run;
}

#endif
