// Adders of Multipede's cells styles. Simulated as they stand; for standard cells each bit of
// full_adders and ripple_adder becomes one full-adder cell, of half_adders one half-adder cell.

// WIDTH separate full adders: 2 * carry + sum = a + b + c in every bit.
module full_adders #(parameter WIDTH = 1) (
  input  [WIDTH-1:0] a, b, c,
  output [WIDTH-1:0] sum, carry
);
  wire [WIDTH-1:0] half = a ^ b;
  assign sum = half ^ c;
  assign carry = (a & b) | (c & half);
endmodule

// WIDTH separate half adders: 2 * carry + sum = a + b in every bit.
module half_adders #(parameter WIDTH = 1) (
  input  [WIDTH-1:0] a, b,
  output [WIDTH-1:0] sum, carry
);
  assign sum = a ^ b;
  assign carry = a & b;
endmodule

// WIDTH separate adders of two bits and a constant: 2 * carry + sum = a + b + 1 in every bit.
module half_adders_plus_one #(parameter WIDTH = 1) (
  input  [WIDTH-1:0] a, b,
  output [WIDTH-1:0] sum, carry
);
  assign sum = ~(a ^ b);
  assign carry = a | b;
endmodule

// A chain of WIDTH full adders: {co, sum} = a + b + ci.
module ripple_adder #(parameter WIDTH = 1) (
  input  [WIDTH-1:0] a, b,
  input              ci,
  output [WIDTH-1:0] sum,
  output             co
);
  assign {co, sum} = {1'b0, a} + {1'b0, b} + {{WIDTH{1'b0}}, ci};
endmodule

// A chain of WIDTH half adders: {co, sum} = a + ci.
module ripple_half_adder #(parameter WIDTH = 1) (
  input  [WIDTH-1:0] a,
  input              ci,
  output [WIDTH-1:0] sum,
  output             co
);
  assign {co, sum} = {1'b0, a} + {{WIDTH{1'b0}}, ci};
endmodule

// A chain of WIDTH half adders with a constant one in each column: {co, sum} = a + ~0 + ci.
module ripple_half_adder_plus_one #(parameter WIDTH = 1) (
  input  [WIDTH-1:0] a,
  input              ci,
  output [WIDTH-1:0] sum,
  output             co
);
  assign {co, sum} = {1'b0, a} + {1'b0, {WIDTH{1'b1}}} + {{WIDTH{1'b0}}, ci};
endmodule

// A parallel-prefix adder (Sklansky): sum = a + b modulo 2^WIDTH.
module prefix_adder #(parameter WIDTH = 1) (
  input  [WIDTH-1:0] a, b,
  output [WIDTH-1:0] sum
);
  localparam LEVELS = $clog2(WIDTH);
  // Row r holds generate and propagate after r levels, at bits r * WIDTH and up.
  wire [(LEVELS+1)*WIDTH-1:0] g, p;
  assign g[WIDTH-1:0] = a & b;
  assign p[WIDTH-1:0] = a ^ b;
  genvar level, column;
  generate
    for (level = 0; level < LEVELS; level = level + 1) begin : prefix
      for (column = 0; column < WIDTH; column = column + 1) begin : node
        localparam HERE = level * WIDTH + column;
        if ((column >> level) & 1) begin : joined
          localparam FROM = level * WIDTH + ((column >> level) << level) - 1;
          assign g[HERE+WIDTH] = g[HERE] | (p[HERE] & g[FROM]);
          assign p[HERE+WIDTH] = p[HERE] & p[FROM];
        end else begin : passed
          assign g[HERE+WIDTH] = g[HERE];
          assign p[HERE+WIDTH] = p[HERE];
        end
      end
    end
    if (WIDTH == 1) begin : single
      assign sum = p[0];
    end else begin : wide
      assign sum = p[WIDTH-1:0] ^ {g[LEVELS*WIDTH+WIDTH-2:LEVELS*WIDTH], 1'b0};
    end
  endgenerate
endmodule
