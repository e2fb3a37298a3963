#ifndef CODEC_SEGMENT_FORMAT_H
#define CODEC_SEGMENT_FORMAT_H

/* Sizes of the parts of a segment, for its reader and its writer; see segment.h. */

#define SEGMENT_MAGIC        "SHEAFSEG"
#define SEGMENT_HEADER_BYTES 44u
#define SEGMENT_BATCH_BYTES  24u
#define SEGMENT_RECORD_BYTES 29u
#define SEGMENT_FOOTER_BYTES 8u

#endif
