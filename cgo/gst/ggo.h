/* ggo: the C half of package gst. Classes, instances and values that Go describes and C gives to GStreamer.
 *
 * What crosses: handles (uintptr_t) and plain structs. Never a Go pointer. A function of ggo_*.c that calls into Go does
 * so by one of the ggoGo… functions, which cgo exports from export_*.go; each of those recovers from a panic.
 */
#ifndef GGO_H
#define GGO_H

#include <stdint.h>
#include <gst/gst.h>
#include <gst/base/gstbasesink.h>
#include <gst/base/gstbasetransform.h>
#include <gst/base/gstflowcombiner.h>
#include <gst/base/gstpushsrc.h>

/* ---- classes ---- */

typedef enum { GGO_KIND_SINK, GGO_KIND_TRANSFORM, GGO_KIND_SOURCE, GGO_KIND_ELEMENT } GgoKind;

/* How a transform makes its output. */
typedef enum { GGO_MODE_IN_PLACE, GGO_MODE_RESIZE, GGO_MODE_GENERATE } GgoMode;

typedef enum {
  GGO_STRING, GGO_BOOL, GGO_INT, GGO_UINT, GGO_INT64, GGO_UINT64, GGO_DOUBLE, GGO_FRACTION,
  GGO_ENUM, GGO_FLAGS, GGO_STRUCTURE, GGO_OBJECT, GGO_CAPS, GGO_BUFFER, GGO_NONE, GGO_LIST, GGO_ARRAY,
  GGO_OTHER, GGO_INT_RANGE, GGO_DOUBLE_RANGE, GGO_FRACTION_RANGE, GGO_BYTES, GGO_INT64_RANGE
} GgoType;

/* One value on its way between the languages. Who frees str, structure, … is said at each function. */
typedef struct {
  gint type;                    /* GgoType */
  gint num, den;                /* fraction; step of a range in den where there is one */
  gint64 i;                     /* bool, int, int64, enum */
  guint64 u;                    /* uint, uint64, flags */
  gdouble d;
  gchar *str;                   /* string, or an unknown type serialised */
  gpointer ptr;                 /* structure, object, caps, buffer */
} GgoValue;

typedef struct {
  const gchar *name, *nick, *blurb;
  gint type;                    /* GgoType */
  GParamFlags flags;
  gboolean playing;             /* may be written above READY */
  GgoValue min, max, def;
  GType gtype;                  /* enum or flags type */
} GgoProperty;

typedef struct _GgoClass {
  GgoKind kind;
  GgoMode mode;
  uintptr_t handle;             /* of the Go class; never freed, as GTypes are not */
  gchar *factory, *long_name, *klass, *description, *author;
  guint rank;
  gboolean lists;               /* sink: take buffer lists whole */
  gboolean live;                /* source: is live */
  gboolean forward_allocation;  /* transform: upstream may use downstream's pool */
  gboolean sync;                /* sink: default of "sync" */
  GArray *properties;           /* GgoProperty; the id of a property is its index + 1 */
  GPtrArray *templates;         /* GstStaticPadTemplate* */
  GPtrArray *signals;           /* GgoSignal* */
  gint uri_type;                /* GstURIType; GST_URI_UNKNOWN: no URI handler */
  gchar **protocols;
  GstDebugCategory *category;
  gpointer parent;              /* the parent's class structure */
  GType gtype;
} GgoClass;

typedef struct {
  gchar *name;
  gboolean action;
  gint result;                  /* GgoType */
  guint n_params;
  gint params[8];               /* GgoType */
  guint id;
} GgoSignal;

GgoClass *ggo_class_new (GgoKind kind, uintptr_t handle, const gchar * factory, const gchar * long_name,
    const gchar * klass, const gchar * description, const gchar * author, guint rank);
void ggo_class_add_template (GgoClass * c, const gchar * name, gint direction, gint presence, const gchar * caps);
void ggo_class_add_property (GgoClass * c, const GgoProperty * p);
void ggo_class_add_signal (GgoClass * c, const GgoSignal * s);
void ggo_class_set_uri (GgoClass * c, gint type, const gchar * protocols_by_comma);
gboolean ggo_class_register (GgoClass * c, GstPlugin * plugin, const gchar * type_name);
GType ggo_enum_type (const gchar * name, gboolean flags, guint n, gint * values, gchar ** names, gchar ** nicks);

gboolean ggo_plugin_register_static (uintptr_t handle, const gchar * name, const gchar * description,
    const gchar * version, const gchar * license, const gchar * source, const gchar * package, const gchar * origin);

const GstPluginDesc *ggo_plugin_desc (uintptr_t handle, const gchar * name, const gchar * description,
    const gchar * version, const gchar * license, const gchar * source, const gchar * package, const gchar * origin);

/* ---- instances ---- */

/* What an instance's Go half implements, so that the rest never crosses. */
enum {
  GGO_HAS_EVENT = 1 << 0, GGO_HAS_QUERY = 1 << 1, GGO_HAS_SET_CAPS = 1 << 2, GGO_HAS_UNLOCK = 1 << 3,
  GGO_HAS_CHANGE_STATE = 1 << 4, GGO_HAS_TRANSFORM_CAPS = 1 << 5, GGO_HAS_TRANSFORM_META = 1 << 6,
  GGO_HAS_START = 1 << 7, GGO_HAS_STOP = 1 << 8, GGO_HAS_FIXATE_CAPS = 1 << 9, GGO_HAS_SRC_EVENT = 1 << 10,
  GGO_HAS_REQUEST_PAD = 1 << 11, GGO_HAS_CAPS = 1 << 12, GGO_HAS_SEND_EVENT = 1 << 13, GGO_HAS_TRY_RENDER = 1 << 14
};

typedef struct {
  GgoClass *klass;
  uintptr_t handle;
  guint32 has;                  /* GGO_HAS_… */
  struct _GgoInbox *inbox;      /* sink: NULL: none */
  gint playing;                 /* sink: atomic; in PLAYING, and no pause has begun */
  gint poisoned;                /* atomic: a callback panicked since the element was started */
  gboolean changed;             /* the base class has seen the state change in progress; under the state lock */
  GQueue *outputs;              /* transform in mode generate: what waits to be pushed; streaming thread only */
} GgoInstance;

GgoInstance *ggo_instance (gpointer object);
gboolean ggo_runs (gpointer object);
gboolean ggo_poisoned (gpointer object);

void ggo_sink_class_init (GstBaseSinkClass * k, GgoClass * c);
void ggo_transform_class_init (GstBaseTransformClass * k, GgoClass * c);
void ggo_transform_init (gpointer klass, GgoInstance * g);
void ggo_source_class_init (GstPushSrcClass * k, GgoClass * c);
void ggo_element_class_init (GstElementClass * k, GgoClass * c);
void ggo_uri_handler_init (gpointer iface, gpointer data);
GType ggo_base_type (GgoKind kind);
GQuark ggo_class_quark (void);

/* ---- a buffer, flattened ---- */

#define GGO_MAX_MEMORIES 16     /* gst_buffer_get_max_memory() */

typedef struct {
  guint8 *data;
  gsize size;
} GgoBytes;

enum { GGO_REFERENCE_NONE, GGO_REFERENCE_NTP, GGO_REFERENCE_UNIX };

typedef struct {
  GstBuffer *buffer;            /* borrowed for the call */
  guint64 pts, dts, duration, offset, offset_end;
  guint64 running_time;         /* of the PTS (else the DTS) in the current segment; GST_CLOCK_TIME_NONE */
  gint64 running;               /* from a pad's inbox: the same, also before the segment; G_MAXINT64: none */
  gint64 unix_zero;             /* from a pad's inbox: wall clock at running time 0 when the buffer came, ns since 1970; -1: not in PLAYING */
  guint64 reference_time;       /* ns since the reference's epoch */
  guint64 size;
  guint32 flags;
  guint32 n_memory;
  gint32 reference;             /* GGO_REFERENCE_… */
  gint32 mapped;                /* GstMapFlags of the mapping; 0: not mapped */
  gpointer token;               /* GgoToken, borrowed; NULL: none */
  GgoBytes memory[GGO_MAX_MEMORIES];
  GstMapInfo maps[GGO_MAX_MEMORIES];
} GgoView;

void ggo_view_init (GgoView * v, GstBuffer * buffer, const GstSegment * segment);
gboolean ggo_view_map (GgoView * v, gint flags);
void ggo_view_unmap (GgoView * v);

/* ---- an inbox: buffers on their way to a goroutine ---- */

#define GGO_INBOX_SIZE 32       /* buffers that it takes */
#define GGO_INBOX_BYTES (1 << 20)       /* with which it is full, too */

typedef struct _GgoInbox {
  GgoView ring[GGO_INBOX_SIZE]; /* mapped, with a reference each */
  gint pushed, taken;           /* atomic: how many buffers came, and how many of them the goroutine is through with */
  gsize pushed_bytes;           /* atomic, as the next: the sizes of both; they may go round */
  gsize taken_bytes;
  gint flow;                    /* atomic: what a push answers */
  gint waits;                   /* atomic: the goroutine does, for fd */
  gint waiting;                 /* atomic: threads that wait for moved */
  gint ended;                   /* atomic: nothing comes any more */
  gint prompt;                  /* atomic: a push answers what the goroutine does to that buffer */
  gint interrupts;              /* atomic: how often a wait for room was to end, whatever flow is */
  int fd;                       /* eventfd */
  gint64 last;                  /* of the streaming thread: when it brought the last buffer, us */
  GMutex lock;
  GCond moved;
  gint given;                   /* written under lock: how many buffers were given back */
} GgoInbox;

GgoInbox *ggo_inbox_new (void);
void ggo_inbox_free (GgoInbox * in);
gint ggo_inbox_open (GgoInbox * in);
void ggo_inbox_end (GgoInbox * in);
void ggo_inbox_tell (GgoInbox * in);
void ggo_inbox_set_flow (GgoInbox * in, gint flow);
void ggo_inbox_resume (GgoInbox * in, gint flow);
void ggo_inbox_give_back (GgoInbox * in);
gboolean ggo_inbox_is_full (GgoInbox * in);
gboolean ggo_inbox_is_settled (GgoInbox * in);
GgoView *ggo_inbox_prepare (GgoInbox * in, GstElement * e, const GstSegment * segment, GstBuffer * b);
void ggo_inbox_interrupt (GgoInbox * in);
GstFlowReturn ggo_inbox_await (GgoInbox * in, gint interrupts);
#define GGO_FLOW_INTERRUPTED GST_FLOW_CUSTOM_SUCCESS_2
GstFlowReturn ggo_inbox_push (GgoInbox * in, GstElement * e, const GstSegment * segment, GstBuffer * b, gint interrupts);
gboolean ggo_inbox_settle (GgoInbox * in, gint64 us);
void ggo_inbox_query (GgoInbox * in, GstQuery * q);

/* ---- delivery tokens ---- */

typedef struct _GgoToken GgoToken;
enum { GGO_OUTCOME_LOST, GGO_OUTCOME_DELIVERED, GGO_OUTCOME_DROPPED, GGO_OUTCOME_FAILED };
GgoToken *ggo_token_new (uintptr_t handle);
GgoToken *ggo_token_ref (GgoToken * t);
void ggo_token_unref (GgoToken * t);
void ggo_token_expect (GgoToken * t, gint more);
void ggo_token_complete (GgoToken * t, gint outcome);
gboolean ggo_buffer_set_token (GstBuffer * b, GgoToken * t);
GgoToken *ggo_buffer_token (GstBuffer * b);

/* ---- buffers ---- */

GstBuffer *ggo_buffer_wrap (GstBuffer * in, const guint8 * head, gsize n_head, gboolean share, const guint8 * tail, gsize n_tail);
GstBuffer *ggo_buffer_build (GstBuffer * in, gsize n, guint8 ** data);
GstBuffer *ggo_buffer_from_bytes (const guint8 * data, gsize n);
void ggo_buffer_append_bytes (GstBuffer * b, const guint8 * data, gsize n);
GstBuffer *ggo_buffer_region (GstBuffer * b, gsize offset, gsize size);
GstBuffer *ggo_buffer_make_writable (GstBuffer * b);
void ggo_buffer_set_flags (GstBuffer * b, guint set, guint unset);
gboolean ggo_buffer_is_writable (GstBuffer * b);
gint ggo_buffer_reference_time (GstBuffer * b, guint64 * ns);
void ggo_buffer_add_reference_time (GstBuffer * b, const gchar * caps, guint64 ns);

/* ---- values and structures ---- */

GType ggo_gtype (gint type);
gboolean ggo_value_to_gvalue (const GgoValue * v, GValue * out);
void ggo_value_from_gvalue (const GValue * in, GgoValue * out);
void ggo_value_own (GgoValue * v);
void ggo_value_clear (GgoValue * v);
void ggo_value_drop (GgoValue * v);

/* A structure on its way from Go: rows in depth-first order over one arena of NUL-terminated strings. A list or array has
 * its elements in the n rows behind it; a structure its fields. */
typedef struct {
  gint type;                    /* GgoType */
  gint n;                       /* rows in a list, array or structure */
  gint num, den, num2, den2;
  gint64 name;                  /* offset into the arena; -1: none */
  gint64 str;                   /* offset into the arena */
  gint64 len;                   /* GGO_BYTES: bytes at str */
  gint64 i, i2;
  guint64 u;                    /* step of a range of integers, too */
  gdouble d, d2;
} GgoRow;

GstStructure *ggo_structure_build (const GgoRow * rows, gint n_rows, const gchar * arena);
guint ggo_structure_n (const GstStructure * s);
const gchar *ggo_structure_field (const GstStructure * s, guint i);
const GValue *ggo_structure_value (const GstStructure * s, guint i);
gint ggo_gvalue_type (const GValue * v);
gint ggo_gtype_type (GType t);
guint ggo_gvalue_list_size (const GValue * v);
const GValue *ggo_gvalue_list_at (const GValue * v, guint i);
void ggo_gvalue_ranges (const GValue * v, gint64 * i, gint64 * i2, gint64 * step, gdouble * d, gdouble * d2, gint * num, gint * den, gint * num2, gint * den2);
gchar *ggo_gvalue_serialize (const GValue * v, gchar ** type_name);
const guint8 *ggo_gvalue_bytes (const GValue * v, gsize * n);

/* ---- elements ---- */

void ggo_element_message (GstElement * e, gint type, gint domain, gint code, const gchar * text, const gchar * debug,
    const gchar * file, const gchar * function, gint line, GstStructure * details);
GQuark ggo_error_domain (gint domain);
void ggo_element_post_qos (GstElement * e, gboolean live, guint64 running_time, guint64 stream_time, guint64 timestamp, guint64 duration, guint64 processed, guint64 dropped);
void ggo_element_post_progress (GstElement * e, gint type, const gchar * code, const gchar * text);
gint64 ggo_element_unix_time (GstElement * e, guint64 running_time);
guint64 ggo_element_running_time (GstElement * e);
gint ggo_element_next_state (GstElement * e);
gint ggo_element_state (GstElement * e);
gboolean ggo_element_upstream_live (GstElement * e, gboolean * known);
void ggo_log (GstDebugCategory * cat, gint level, gpointer object, const gchar * file, const gchar * function, gint line, const gchar * text);
GstPad *ggo_request_pad (GstElement * e, const gchar * name);
gint *ggo_category_threshold (GstDebugCategory * cat);
gint ggo_signal_params (gpointer object, const gchar * name, gint * types);
void ggo_emit (gpointer object, const gchar * name, guint n, GgoValue * args, GgoValue * result);
void ggo_complain (gpointer object, const gchar * text);
gint ggo_change_state_parent (GstElement * e, gint transition);
gboolean ggo_sink_event_parent (GstElement * e, GstEvent * event);
gboolean ggo_sink_query_parent (GstElement * e, GstQuery * query);
gboolean ggo_transform_event_parent (GstElement * e, gboolean src, GstEvent * event);
gboolean ggo_transform_query_parent (GstElement * e, gint direction, GstQuery * query);
gboolean ggo_source_event_parent (GstElement * e, GstEvent * event);
gboolean ggo_source_query_parent (GstElement * e, GstQuery * query);
gboolean ggo_send_event_parent (GstElement * e, GstEvent * event);
GstStructure *ggo_sink_stats (GstElement * e);
GstFlowReturn ggo_sink_wait_preroll (GstElement * e, GstBuffer * b);
void ggo_sink_pausing (GstElement * e);
void ggo_sink_playing (GstElement * e);
GQueue *ggo_outputs (GstElement * e);
gchar *ggo_dup_object_name (gpointer object);
gchar *ggo_dup_object_path (gpointer object);

/* ---- pads of plain elements ---- */

enum {
  GGO_PAD_CHAIN = 1 << 0, GGO_PAD_CHAIN_LIST = 1 << 1, GGO_PAD_EVENT = 1 << 2, GGO_PAD_QUERY = 1 << 3,
  GGO_PAD_UNLINKED = 1 << 4, GGO_PAD_ACTIVATE = 1 << 5, GGO_PAD_TAKE = 1 << 6
};
GstPad *ggo_pad_new (GstElement * e, const gchar * template_name, const gchar * name, uintptr_t handle, guint32 has);
gboolean ggo_pad_add (GstElement * e, GstPad * pad, gboolean active);
gboolean ggo_pad_start_task (GstPad * pad);
uintptr_t ggo_pad_handle (GstPad * pad);
GgoInbox *ggo_pad_inbox (GstPad * pad);
gboolean ggo_pad_event_default (GstPad * pad, GstEvent * e);
gboolean ggo_pad_query_default (GstPad * pad, GstQuery * q);
void ggo_element_set_flag (GstElement * e, guint flag);
gboolean ggo_element_query_parent (GstElement * e, GstQuery * q);
gint64 ggo_segment_running_time (const GstSegment * s, guint64 position);
void ggo_element_post_eos (GstElement * e, guint32 seqnum);
GstBuffer *ggo_list_at (GstBufferList * l, guint i);

/* ---- programs ---- */

gulong ggo_connect (gpointer object, const gchar * signal, uintptr_t handle);
gboolean ggo_object_set (gpointer object, const gchar * name, const GgoValue * v, gchar ** why);
gboolean ggo_object_set_string (gpointer object, const gchar * name, const gchar * value, gchar ** why);
gboolean ggo_object_get (gpointer object, const gchar * name, GValue * v);
void ggo_value_unset (GValue * v);
gint ggo_object_property_type (gpointer object, const gchar * name);
gulong ggo_pad_probe (GstPad * pad, gint mask, uintptr_t handle);
GstMessage *ggo_bus_pop (GstBus * bus, guint64 timeout, gint types);
void ggo_video_layout (const GstCaps * caps, gint * width, gint * height, gint * components, gchar ** format);
GstBuffer *ggo_video_pack (GstBuffer * in, const GstCaps * caps);

void ggo_message_error (GstMessage * m, gint * domain, gint * code, gchar ** text, gchar ** debug, const GstStructure ** details);
const gchar *ggo_message_source (GstMessage * m);
gpointer ggo_list_next (gpointer list, gpointer * item);
gboolean ggo_is (gpointer object, gint what);

gboolean ggo_is_pipeline (gpointer object);
gpointer ggo_copy_list (gpointer object, gint what);
void ggo_free_list (gpointer list);
gchar *ggo_factory (GstElement * e, gint what);
gboolean ggo_element_has_flag (GstElement * e, guint flag);

/* A watch on a source's pads: when a buffer last passed, how many did, and whether an end of stream was held back. */
typedef struct _GgoWatch GgoWatch;
void ggo_watch_hold (GgoWatch * w, gboolean on);
void ggo_watch_reset (GgoWatch * w);
gboolean ggo_watch_eos (GgoWatch * w);
gint64 ggo_watch_buffers (GgoWatch * w);
gint64 ggo_watch_silence (GgoWatch * w);
GgoWatch *ggo_watch_new (void);
void ggo_watch_unref (GgoWatch * w);
void ggo_watch_pad (GgoWatch * w, GstPad * pad);

#endif
