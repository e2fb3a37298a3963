#include "cli/log_tail.h"

#include <sys/stat.h>
#include <unistd.h>

#define PIECE 16384

void log_tail_init(struct log_tail *tail, int fd)
{
    struct stat st;

    tail->fd = fd;
    tail->at = fstat(fd, &st) == 0 ? st.st_size : 0;
}

static size_t whole_lines(const char *text, size_t len)
{
    while (len > 0 && text[len - 1] != '\n')
        len--;
    return len;
}

void log_tail_copy(struct log_tail *tail, FILE *out)
{
    char piece[PIECE];
    ssize_t n;

    while ((n = pread(tail->fd, piece, sizeof(piece), tail->at)) > 0) {
        size_t len = whole_lines(piece, (size_t)n);

        if (len == 0 && n == PIECE)
            len = PIECE; /* one very long line */
        if (len == 0)
            return;
        (void)fwrite(piece, 1, len, out);
        tail->at += (off_t)len;
    }
}
