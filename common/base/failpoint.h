#ifndef BASE_FAILPOINT_H
#define BASE_FAILPOINT_H

/*
 * Named places where a test can make this process die, stop, wait or fail:
 *
 *     SHEAF_FP="worker.segment.linked:kill@2,sink.fsync:err=ENOSPC,x:delay=500,y:stop"
 *
 * kill raises SIGKILL, stop raises SIGSTOP, delay sleeps for milliseconds, err
 * makes failpoint_errno() return that errno. "@n" acts at the n-th visit only
 * (default 1); "@*" at every visit. With SHEAF_FP_ONCE=FOLDER a point acts once
 * for all processes together: it leaves a file of its name there. Without -DSHEAF_FAILPOINTS
 * (release builds) both macros are nothing.
 */
#ifdef SHEAF_FAILPOINTS
/** Visit @name; kill, stop and delay happen here. */
#define FAILPOINT(name) ((void)failpoint_visit(name))
/** Visit @name; the errno a real call should pretend to have failed with, or 0. */
#define FAILPOINT_ERRNO(name) failpoint_visit(name)

int failpoint_visit(const char *name);
#else
#define FAILPOINT(name)       ((void)0)
#define FAILPOINT_ERRNO(name) 0
#endif

#endif
