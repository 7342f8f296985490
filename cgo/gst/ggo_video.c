/* Raw video: how a frame lies in memory, and the same frame without padding. */
#include "ggo.h"
#include <gst/video/video.h>
#include <string.h>

/* Size and number of components of raw video caps; width 0 where they are none. The format's name is static. */
void
ggo_video_layout (const GstCaps * caps, gint * width, gint * height, gint * components, gchar ** format)
{
  GstVideoInfo info;

  *width = *height = *components = 0;
  *format = NULL;
  if (!gst_video_info_from_caps (&info, caps) || GST_VIDEO_INFO_FORMAT (&info) == GST_VIDEO_FORMAT_ENCODED)
    return;
  *width = GST_VIDEO_INFO_WIDTH (&info);
  *height = GST_VIDEO_INFO_HEIGHT (&info);
  *components = GST_VIDEO_INFO_N_COMPONENTS (&info);
  *format = (gchar *) GST_VIDEO_INFO_NAME (&info);
}

/* Bytes of a row of plane p, rows in it. Formats whose pixels share bytes (v210, …) keep their stride. */
static void
plane_size (const GstVideoInfo * info, guint p, gsize stride, gsize * row, gsize * rows)
{
  const GstVideoFormatInfo *f = info->finfo;
  guint c;

  if (GST_VIDEO_FORMAT_INFO_HAS_PALETTE (f) && p == 1) {
    *row = 256 * 4;
    *rows = 1;
    return;
  }

  *row = stride;
  *rows = GST_VIDEO_INFO_HEIGHT (info);
  for (c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (f); c++) {
    if (GST_VIDEO_FORMAT_INFO_PLANE (f, c) != p)
      continue;
    *rows = GST_VIDEO_FORMAT_INFO_SCALE_HEIGHT (f, c, GST_VIDEO_INFO_HEIGHT (info));
    if (!GST_VIDEO_FORMAT_INFO_IS_COMPLEX (f) && GST_VIDEO_FORMAT_INFO_PSTRIDE (f, c) > 0)
      *row = (gsize) GST_VIDEO_FORMAT_INFO_SCALE_WIDTH (f, c, GST_VIDEO_INFO_WIDTH (info)) * GST_VIDEO_FORMAT_INFO_PSTRIDE (f, c);
    break;
  }
}

/* An owned buffer whose rows follow each other without padding, planes in order: the input itself (a further reference) where it lies so
 * already, else a copy. NULL where the buffer is no frame of the caps. */
GstBuffer *
ggo_video_pack (GstBuffer * in, const GstCaps * caps)
{
  GstVideoInfo info;
  GstVideoFrame frame;
  GstBuffer *out;
  GstMeta *meta;
  GstMapInfo map;
  gsize total = 0, row, rows, y, at;
  gboolean tight = TRUE;
  guint p;

  if (!gst_video_info_from_caps (&info, caps) || !gst_video_frame_map (&frame, &info, in, GST_MAP_READ))
    return NULL;
  for (p = 0; p < GST_VIDEO_FRAME_N_PLANES (&frame); p++) {
    plane_size (&frame.info, p, GST_VIDEO_FRAME_PLANE_STRIDE (&frame, p), &row, &rows);
    tight = tight && row == (gsize) GST_VIDEO_FRAME_PLANE_STRIDE (&frame, p) && GST_VIDEO_FRAME_PLANE_OFFSET (&frame, p) == total;
    total += row * rows;
  }
  if (tight && total == gst_buffer_get_size (in)) {
    gst_video_frame_unmap (&frame);
    return gst_buffer_ref (in);
  }
  out = gst_buffer_new_allocate (NULL, total, NULL);
  if (!gst_buffer_map (out, &map, GST_MAP_WRITE)) {
    gst_video_frame_unmap (&frame);
    gst_buffer_unref (out);
    return NULL;
  }
  for (p = 0, at = 0; p < GST_VIDEO_FRAME_N_PLANES (&frame); p++) {
    const guint8 *from = GST_VIDEO_FRAME_PLANE_DATA (&frame, p);
    plane_size (&frame.info, p, GST_VIDEO_FRAME_PLANE_STRIDE (&frame, p), &row, &rows);
    for (y = 0; y < rows; y++, at += row)
      memcpy (map.data + at, from + y * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, p), row);
  }
  gst_buffer_unmap (out, &map);
  gst_video_frame_unmap (&frame);
  gst_buffer_copy_into (out, in, GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_META, 0, -1);
  /* These speak of the memory that was copied. */
  while ((meta = gst_buffer_get_meta (out, GST_VIDEO_META_API_TYPE)) != NULL)
    gst_buffer_remove_meta (out, meta);
  while ((meta = gst_buffer_get_meta (out, GST_PARENT_BUFFER_META_API_TYPE)) != NULL)
    gst_buffer_remove_meta (out, meta);
  return out;
}
