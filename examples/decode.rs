use logodds::data::{self, BlocksOptions};
use logodds::model::Model;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let model = Model::load(a[1].as_ref()).unwrap();
    let source = data::open(&[a[2].clone()]).unwrap();
    let t = std::time::Instant::now();
    let target = model.target();
    let o = BlocksOptions {
        target: Some(&target),
        weight: None,
        keep: vec![],
        rows_per_block: a[3].parse().unwrap(),
    };
    let mut n = 0;
    for b in data::blocks(&source, &model.encoding(), o).unwrap() {
        n += b.unwrap().rows;
    }
    println!("blocks alone {n} {:.2}", t.elapsed().as_secs_f64());
}
