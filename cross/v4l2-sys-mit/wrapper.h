/* musl's struct timespec, with a name for the padding that 32-bit targets have: bindgen would make a bitfield of it. */
#define __DEFINED_struct_timespec
struct timespec {
    long long tv_sec;
    long tv_nsec;
#if __SIZEOF_LONG__ == 4
    int tv_pad;
#endif
};

#include <linux/videodev2.h>
