#include "media.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define ROLE "viewer"
/* How often sessions whose clients have gone silent are looked for. */
#define CLEANUP_SECONDS 2

struct GrServer {
  GstRTSPServer *rtsp;
  GMainContext *context;
  gint quit; /* atomic */
  GThread *thread;
  GSource *listen, *cleanup;
  GPtrArray *mounts; /* of GrMount */
  GstRTSPLowerTrans transports;
  GSocketFamily family;
  gboolean guarded;
  uintptr_t handle;
};

/* --- clients ------------------------------------------------------------------------------------------ */

static void
tell (GrServer * server, int event, GstRTSPClient * client, GstRTSPContext * ctx)
{
  GstRTSPConnection *connection = gst_rtsp_client_get_connection (client);
  const char *peer = connection ? gst_rtsp_connection_get_ip (connection) : NULL;

  gstrtspClient (server->handle, event, (char *) (peer ? peer : ""), (char *) (ctx && ctx->uri ? ctx->uri->abspath : ""));
}

static void
on_play (GstRTSPClient * client, GstRTSPContext * ctx, gpointer user_data)
{
  tell (user_data, GR_CLIENT_PLAYS, client, ctx);
  if (ctx->media)
    gr_feed_played (ctx->media);
}

static void
on_closed (GstRTSPClient * client, gpointer user_data)
{
  tell (user_data, GR_CLIENT_CLOSED, client, NULL);
}

/* The server would name the last packet that it sent, not the first one that this client gets. A client that believes it
 * waits for packets that were never meant for it; without the header it begins with the first that comes. */
static void
on_send_message (GstRTSPClient * client, GstRTSPContext * ctx, GstRTSPMessage * message, gpointer user_data)
{
  if (gst_rtsp_message_get_type (message) == GST_RTSP_MESSAGE_RESPONSE)
    gst_rtsp_message_remove_header (message, GST_RTSP_HDR_RTP_INFO, -1);
}

/* Whole frames are written at once: waiting for more (Nagle) would only add a client's delayed acknowledgement, 40 ms. */
static void
send_at_once (GstRTSPClient * client)
{
  GstRTSPConnection *connection = gst_rtsp_client_get_connection (client);
  GSocket *socket = connection ? gst_rtsp_connection_get_write_socket (connection) : NULL;

  if (socket)
    g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
}

static void
on_connected (GstRTSPServer * rtsp, GstRTSPClient * client, gpointer user_data)
{
  g_signal_connect (client, "play-request", G_CALLBACK (on_play), user_data);
  g_signal_connect (client, "send-message", G_CALLBACK (on_send_message), NULL);
  g_signal_connect (client, "closed", G_CALLBACK (on_closed), user_data);
  send_at_once (client);
  tell (user_data, GR_CLIENT_CONNECTED, client, NULL);
}

static gboolean
on_cleanup (gpointer user_data)
{
  GstRTSPSessionPool *pool = gst_rtsp_server_get_session_pool (user_data);

  gst_rtsp_session_pool_cleanup (pool);
  g_object_unref (pool);
  return G_SOURCE_CONTINUE;
}

/* --- making it ---------------------------------------------------------------------------------------- */

static void
guard (GrServer * server, const char *user, const char *password)
{
  GstRTSPAuth *auth = gst_rtsp_auth_new ();
  GstRTSPToken *token = gst_rtsp_token_new (GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, ROLE, NULL);
  char *basic = gst_rtsp_auth_make_basic (user, password);

  gst_rtsp_auth_set_supported_methods (auth, GST_RTSP_AUTH_BASIC | GST_RTSP_AUTH_DIGEST);
  gst_rtsp_auth_add_basic (auth, basic, token);
  gst_rtsp_auth_add_digest (auth, user, password, token);
  gst_rtsp_server_set_auth (server->rtsp, auth);
  server->guarded = TRUE;
  g_free (basic);
  gst_rtsp_token_unref (token);
  g_object_unref (auth);
}

GrServer *
gr_server_new (const GrServerConfig * config)
{
  GrServer *server = g_new0 (GrServer, 1);
  GstRTSPThreadPool *pool;

  server->handle = config->handle;
  server->transports = (config->tcp ? GST_RTSP_LOWER_TRANS_TCP : 0) | (config->udp ? GST_RTSP_LOWER_TRANS_UDP : 0);
  server->family = strchr (config->address, ':') ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4;
  server->mounts = g_ptr_array_new_with_free_func ((GDestroyNotify) gr_mount_free);
  server->context = g_main_context_new ();
  server->rtsp = gst_rtsp_server_new ();
  gst_rtsp_server_set_address (server->rtsp, config->address);
  gst_rtsp_server_set_service (server->rtsp, config->service);
  pool = gst_rtsp_server_get_thread_pool (server->rtsp);
  gst_rtsp_thread_pool_set_max_threads (pool, config->max_threads);
  g_object_unref (pool);
  if (config->user)
    guard (server, config->user, config->password);
  g_signal_connect (server->rtsp, "client-connected", G_CALLBACK (on_connected), server);
  return server;
}

/* The line is parsed once here, so that a bad one is an error at the start and not at the first client. */
static gboolean
check_launch (const char *launch, GrError * err)
{
  GError *gerror = NULL;
  GstElement *bin = gst_parse_bin_from_description_full (launch, FALSE, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &gerror);

  if (!bin) {
    gr_error_set (err, gerror, launch);
    g_error_free (gerror);
    return FALSE;
  }
  gst_object_ref_sink (bin);
  gst_object_unref (bin);
  return TRUE;
}

int
gr_server_mount (GrServer * server, const char *path, const char *launch, uintptr_t handle, GrError * err)
{
  GstRTSPMountPoints *points;
  GrMount *mount;

  if (!check_launch (launch, err))
    return 0;
  mount = gr_mount_new (path, launch, server->transports, server->family, handle);
  if (server->guarded)
    gst_rtsp_media_factory_add_role (mount->factory, ROLE, GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN, TRUE,
        GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE, NULL);
  points = gst_rtsp_server_get_mount_points (server->rtsp);
  gst_rtsp_mount_points_add_factory (points, path, g_object_ref (mount->factory));
  g_object_unref (points);
  g_ptr_array_add (server->mounts, mount);
  return 1;
}

/* --- running it --------------------------------------------------------------------------------------- */

static gpointer
serve (gpointer user_data)
{
  GrServer *server = user_data;

  g_main_context_push_thread_default (server->context);
  while (!g_atomic_int_get (&server->quit))
    g_main_context_iteration (server->context, TRUE);
  g_main_context_pop_thread_default (server->context);
  return NULL;
}

static gboolean
wake_mounts (GrServer * server, GrError * err)
{
  GstRTSPThreadPool *pool = gst_rtsp_server_get_thread_pool (server->rtsp);
  gboolean ok = TRUE;
  guint i;

  for (i = 0; ok && i < server->mounts->len; i++)
    ok = gr_mount_wake (g_ptr_array_index (server->mounts, i), pool, err);
  g_object_unref (pool);
  return ok;
}

int
gr_server_start (GrServer * server, GrError * err)
{
  GError *gerror = NULL;
  int port;

  server->listen = gst_rtsp_server_create_source (server->rtsp, NULL, &gerror);
  if (!server->listen) {
    gr_error_set (err, gerror, NULL);
    g_error_free (gerror);
    return -1;
  }
  port = gst_rtsp_server_get_bound_port (server->rtsp);
  if (!wake_mounts (server, err))
    return -1;
  g_source_attach (server->listen, server->context);
  server->cleanup = g_timeout_source_new_seconds (CLEANUP_SECONDS);
  g_source_set_callback (server->cleanup, on_cleanup, server->rtsp, NULL);
  g_source_attach (server->cleanup, server->context);
  server->thread = g_thread_new ("rtsp-server", serve, server);
  return port;
}

static GstRTSPFilterResult
drop_client (GstRTSPServer * rtsp, GstRTSPClient * client, gpointer user_data)
{
  return GST_RTSP_FILTER_REMOVE;
}

static void
end_source (GSource ** source)
{
  if (*source) {
    g_source_destroy (*source);
    g_source_unref (*source);
    *source = NULL;
  }
}

static void
rest_mount (gpointer mount, gpointer user_data)
{
  gr_mount_rest (mount);
}

void
gr_server_stop (GrServer * server)
{
  end_source (&server->listen);
  end_source (&server->cleanup);
  gst_rtsp_server_client_filter (server->rtsp, drop_client, NULL);
  if (server->thread) {
    g_atomic_int_set (&server->quit, 1);
    g_main_context_wakeup (server->context);
    g_thread_join (server->thread);
    server->thread = NULL;
  }
  g_ptr_array_foreach (server->mounts, rest_mount, NULL);
}

void
gr_server_free (GrServer * server)
{
  g_object_unref (server->rtsp);
  g_ptr_array_unref (server->mounts);
  g_main_context_unref (server->context);
  g_free (server);
}
