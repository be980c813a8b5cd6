// The API's page: swagger-ui over our own description; what is tried out carries the session's CSRF token.
const csrf = document.querySelector('meta[name="csrf"]')?.content;

window.SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#swagger",
  deepLinking: true,
  docExpansion: "list",
  validatorUrl: null,
  requestInterceptor: (request) => {
    if (csrf && new URL(request.url, location.href).origin === location.origin) request.headers["X-CSRF-Token"] = csrf;
    return request;
  },
});
