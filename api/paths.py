"""Where the api lives. Routers carry their whole path: metrics and logs name routes by it."""

V1 = "/api/v1"
